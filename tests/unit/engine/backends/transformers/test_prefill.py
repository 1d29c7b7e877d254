"""Evaluating a prompt in pieces equals one forward pass of transformers over all of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor

from desktopapp.engine.backend import DEFAULT_RUN, ImageEvaluated, PromptProgress, TokenAdded
from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.generation import generate
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prefill import Prefill
from desktopapp.engine.backends.transformers.prompt import encode_prompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
FIRST = NoisePicture(300, 200, seed=1)
SECOND = NoisePicture(180, 400, seed=2)
PROMPTS: dict[str, list[PromptPart]] = {
    "text": [TextPart("<|im_start|>user\nWhat is it? 你好<|im_end|>\n<|im_start|>assistant\n")],
    "one picture": [
        TextPart("<|im_start|>user\n"),
        ImagePart(FIRST),
        TextPart("What is it?<|im_end|>\n<|im_start|>assistant\n"),
    ],
    "two pictures": [
        TextPart("<|im_start|>user\nPicture 1: "),
        ImagePart(FIRST),
        TextPart("Picture 2: "),
        ImagePart(SECOND),
        TextPart("Compare.<|im_end|>\n<|im_start|>assistant\n"),
    ],
}


def reference_inputs(model: LoadedNetwork, folder: Path, parts: Sequence[PromptPart]) -> dict[str, Any]:
    """The inputs as transformers' own tokenizer and processor make them from the whole prompt."""
    pictures = [Image.fromarray(part.image.decode()) for part in parts if isinstance(part, ImagePart)]
    text = "".join(part.text if isinstance(part, TextPart) else "<IMAGE>" for part in parts)
    inputs: dict[str, Any] = {}
    if pictures:
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        inputs = dict(processor(images=pictures, return_tensors="pt"))
        for grid in inputs["image_grid_thw"]:
            pads = "<|image_pad|>" * int(grid.prod() // 4)
            text = text.replace("<IMAGE>", f"<|vision_start|>{pads}<|vision_end|>", 1)
    inputs["input_ids"] = model.tokenizer(text, return_tensors="pt")["input_ids"]
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == model.network.config.image_token_id).int()
    return inputs


def prefill(model: LoadedNetwork, parts: Sequence[PromptPart], chunk_tokens: int) -> tuple[Any, torch.Tensor]:
    encoded = encode_prompt(parts, model.network.config, model.tokenizer, model.facts)
    model.conversations.clear()
    pictures = PromptPictures(KnownPixels(), StepClock())
    sequence = model.conversations.continue_with(encoded, "16bit", pictures, CancelToken())
    run = Prefill(model, encoded, sequence, pictures, CancelToken(), StepClock()).run(chunk_tokens)
    steps = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            return steps, end.value


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("chunk_tokens", [5, 32, 100, 10_000])
def test_chunked_logits_equal_one_forward(
    network: LoadedNetwork, random_folder: Path, name: str, chunk_tokens: int
) -> None:
    inputs = reference_inputs(network, random_folder, PROMPTS[name])
    with torch.inference_mode():
        expected = network.network(**inputs, logits_to_keep=1).logits[0, -1]
    _, logits = prefill(network, PROMPTS[name], chunk_tokens)
    assert float(expected.std()) > 0.5
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PROMPTS)
def test_greedy_tokens_equal_generate(network: LoadedNetwork, random_folder: Path, name: str) -> None:
    inputs = reference_inputs(network, random_folder, PROMPTS[name])
    # The stale state that a generation leaves on the network must not matter to ours.
    output = network.network.generate(
        **inputs, max_new_tokens=24, do_sample=False, temperature=None, top_p=None, top_k=None
    )
    expected = output[0, inputs["input_ids"].shape[1] :].tolist()
    steps = generate(network, PROMPTS[name], GREEDY, 24, CancelToken(), StepClock(), DEFAULT_RUN)
    tokens = [step.token_id for step in steps if isinstance(step, TokenAdded)]
    assert tokens == [token for token in expected if token not in network.stop_ids]
    assert len(tokens) > 3


def test_pictures_are_read_just_before_their_chunk(network: LoadedNetwork) -> None:
    steps, _ = prefill(network, PROMPTS["two pictures"], 32)
    tokens = [step.tokens for step in steps if isinstance(step, ImageEvaluated)]
    done = [step.done_tokens for step in steps if isinstance(step, PromptProgress)]
    total = steps[-1].total_tokens
    assert done == [*range(0, total, 32), total]
    assert steps.index(ImageEvaluated(0, tokens[0])) == 1
    assert steps.index(ImageEvaluated(1, tokens[1])) > 2


def test_other_pictures_give_other_logits(network: LoadedNetwork) -> None:
    _, one = prefill(network, PROMPTS["one picture"], 1000)
    other = [
        part if isinstance(part, TextPart) else ImagePart(NoisePicture(300, 200, seed=9))
        for part in PROMPTS["one picture"]
    ]
    _, two = prefill(network, other, 1000)
    assert float((one - two).abs().max()) > 0.01
