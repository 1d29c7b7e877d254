"""A video through llama.cpp is answered as by transformers' own model with its own inputs for videos.

The inputs are laid out here, since transformers makes them with torchvision only. The model is random and in 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.media.video_grid import pair_indices, pair_texts
from desktopapp.modelstore.model import ModelFiles
from tests.llama_cpp_runs import ask, load, run
from tests.near_ties import equal_tokens, lead
from tests.pictures import NoisePicture, NoiseVideo

TOKENS = 24
_IMAGE_KIND, _VIDEO_KIND = 1, 2


class Reference:
    """transformers' Qwen3-VL.

    Args:
        folder: of the model.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoImageProcessor, AutoTokenizer, Qwen3VLForConditionalGeneration

        self._model: Any = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        self._model.eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._processor: Any = AutoImageProcessor.from_pretrained(folder, backend="pil")

    def answer(self, content: Sequence[str | NoisePicture | NoiseVideo]) -> tuple[list[int], list[float]]:
        """Greedy tokens of an answer to one turn, and by how much each led."""
        config = self._model.config
        ids: list[int] = []
        kinds: list[int] = []
        images: list[tuple[Any, Any]] = []
        videos: list[tuple[Any, Any]] = []

        def add(text: str) -> None:
            tokens = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            ids.extend(tokens)
            kinds.extend([0] * len(tokens))

        def add_visual(pad: int, kind: int, count: int) -> None:
            ids.extend([config.vision_start_token_id, *[pad] * count, config.vision_end_token_id])
            kinds.extend([0, *[kind] * count, 0])

        add("<|im_start|>user\n")
        for item in content:
            if isinstance(item, str):
                add(item)
            elif isinstance(item, NoisePicture):
                images.append(self._patches(item.decode()))
                add_visual(config.image_token_id, _IMAGE_KIND, len(images[-1][0]) // 4)
            else:
                pairs = [self._pair(item, *pair) for pair in pair_indices(len(item.frame_times_s))]
                grid = pairs[0][1].clone()
                grid[0] = len(pairs)
                videos.append((torch.cat([patches for patches, _ in pairs]), grid))
                for text, (patches, _) in zip(pair_texts(item.frame_times_s), pairs, strict=True):
                    add(text)
                    add_visual(config.video_token_id, _VIDEO_KIND, len(patches) // 4)
        add("<|im_end|>\n<|im_start|>assistant\n")
        visual: dict[str, Any] = {}
        for name, grid_name, found in (
            ("pixel_values", "image_grid_thw", images),
            ("pixel_values_videos", "video_grid_thw", videos),
        ):
            if found:
                visual[name] = torch.cat([patches for patches, _ in found])
                visual[grid_name] = torch.stack([grid for _, grid in found])
        out = self._model.generate(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            mm_token_type_ids=torch.tensor([kinds]),
            max_new_tokens=TOKENS,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            output_logits=True,
            return_dict_in_generate=True,
            **visual,
        )
        stops = self._model.generation_config.eos_token_id
        tokens = [token for token in out.sequences[0, len(ids) :].tolist() if token not in stops]
        return tokens, [lead(logits[0]) for logits in out.logits]

    def _patches(self, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[Any, Any]:
        made = self._processor(images=[pixels], return_tensors="pt")
        return made["pixel_values"], made["image_grid_thw"][0]

    def _pair(self, video: NoiseVideo, first: int, second: int) -> tuple[Any, Any]:
        """A patch holds (channel, time, row, column); a picture fills both times alike."""
        one, grid = self._patches(video.decode(first))
        other, _ = self._patches(video.decode(second))
        shape = (-1, 3, 2, 16, 16)
        pair = torch.stack([one.view(shape)[:, :, 0], other.view(shape)[:, :, 1]], dim=2)
        return pair.flatten(1), grid


@pytest.fixture(scope="module")
def reference(random_folder: Path) -> Reference:
    return Reference(random_folder)


@pytest.fixture(scope="module")
def backend(random_gguf: ModelFiles) -> Iterator[LlamaCppBackend]:
    loaded = load(random_gguf)
    yield loaded
    loaded.unload()


# Sizes that both processors leave as they are.
EVEN = NoiseVideo(320, 224, (0.0, 0.5, 1.0, 1.5), seed=1)
ODD = NoiseVideo(256, 288, (0.0, 0.7, 2.4), seed=2)
PICTURE = NoisePicture(320, 256, seed=3)


@pytest.mark.parametrize(
    "content",
    [
        (EVEN, "What happens?"),
        (ODD, "What happens?"),
        (NoiseVideo(320, 224, (4.0,), seed=8), "?"),
        (PICTURE, EVEN, "Compare them."),
        ("First: ", ODD, PICTURE, EVEN, "Which?"),
    ],
    ids=["even", "odd", "one frame", "picture before", "mixed"],
)
def test_the_same_answer(
    reference: Reference, backend: LlamaCppBackend, content: tuple[str | NoisePicture | NoiseVideo, ...]
) -> None:
    expected, leads = reference.answer(content)
    assert equal_tokens(run(backend, ask(*content), TOKENS).tokens, expected, leads) >= 12


def test_frames_apart_would_be_answered_otherwise(reference: Reference) -> None:
    """So that the test above tells something."""
    frames = [NoisePicture(320, 224, seed=1000 + index) for index in range(4)]
    assert reference.answer((EVEN, "What happens?"))[0] != reference.answer((*frames, "What happens?"))[0]
