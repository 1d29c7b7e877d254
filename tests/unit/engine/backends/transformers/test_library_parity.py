"""Our forward pass of pictures, videos and mixtures of experts equals transformers' own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

from desktopapp.engine.backend import DEFAULT_RUN, GenerationStep, LoadOptions, TokenAdded
from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.engine.backends.transformers.generation import generate
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.loader import load_network
from desktopapp.engine.backends.transformers.prefill import Prefill
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt, encode_prompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.vision import make_patches
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, VideoPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from tests.pictures import NoisePicture, NoiseVideo

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
OPENING, CLOSING = TextPart("<|im_start|>user\n"), TextPart("What?<|im_end|>\n<|im_start|>assistant\n")
VIDEO = NoiseVideo(96, 64, (0.0, 0.5, 1.0, 1.6, 2.25), seed=3)
PROMPTS: dict[str, list[PromptPart]] = {
    "picture": [OPENING, ImagePart(NoisePicture(320, 256, seed=1)), CLOSING],
    "video": [OPENING, VideoPart(VIDEO), CLOSING],
    "both": [OPENING, ImagePart(NoisePicture(256, 288, seed=2)), VideoPart(VIDEO), CLOSING],
}


def encode(model: LoadedNetwork, parts: Sequence[PromptPart]) -> EncodedPrompt:
    return encode_prompt(parts, model.network.config, model.tokenizer, model.facts)


def library_inputs(model: LoadedNetwork, prompt: EncodedPrompt) -> dict[str, Any]:
    """The same prompt as transformers takes it: a video in one piece, its frames' grids in one row."""
    config, rule = model.network.config, model.patch_rule
    ids = torch.tensor([prompt.token_ids])
    types = (ids == config.image_token_id).int() + 2 * (ids == config.video_token_id).int()
    inputs: dict[str, Any] = {"input_ids": ids, "mm_token_type_ids": types}
    cut: dict[int, list[torch.Tensor]] = {1: [], 2: []}
    grids: dict[int, dict[int, list[int]]] = {1: {}, 2: {}}
    for image in prompt.images:
        kind = int(types[0, image.start])
        frames = [frame.decode() for frame in image.frames]
        assert frames[0].shape[:2] == (image.height, image.width)
        cut[kind].append(make_patches(frames, rule, torch.device("cpu"), torch.float32))
        grids[kind].setdefault(image.media, [0, *rule.grid(image.width, image.height)])[0] += 1
    for kind, names in ((1, ("pixel_values", "image")), (2, ("pixel_values_videos", "video"))):
        if cut[kind]:
            inputs[names[0]] = torch.cat(cut[kind])
            inputs[f"{names[1]}_grid_thw"] = torch.tensor(list(grids[kind].values()))
    return inputs


def assert_same(model: LoadedNetwork, parts: Sequence[PromptPart]) -> None:
    """Logits behind the prompt, and the tokens of a greedy answer."""
    inputs = library_inputs(model, encode(model, parts))
    with torch.inference_mode():
        expected = model.network(**inputs, logits_to_keep=1).logits[0, -1]
    pictures = PromptPictures(KnownPixels(), StepClock())
    prompt, cancel = encode(model, parts), CancelToken()
    sequence = model.conversations.continue_with(prompt, "16bit", pictures, cancel)
    run = Prefill(model, prompt, sequence, pictures, cancel, StepClock()).run(50)
    torch.testing.assert_close(finish(run), expected, rtol=0, atol=1e-4)
    assert float(expected.std()) > 0.1
    output = model.network.generate(
        **inputs, max_new_tokens=16, do_sample=False, temperature=None, top_p=None, top_k=None
    )
    answer = output[0, inputs["input_ids"].shape[1] :].tolist()
    steps = generate(model, parts, GREEDY, 16, CancelToken(), StepClock(), DEFAULT_RUN)
    found = [step.token_id for step in steps if isinstance(step, TokenAdded)]
    assert found == [token for token in answer if token not in model.stop_ids]


def finish(run: Generator[GenerationStep, None, torch.Tensor]) -> torch.Tensor:
    while True:
        try:
            next(run)
        except StopIteration as end:
            logits: torch.Tensor = end.value
            return logits


@pytest.mark.parametrize("name", PROMPTS)
def test_logits_and_tokens_equal_the_librarys(network: LoadedNetwork, name: str) -> None:
    assert_same(network, PROMPTS[name])


@pytest.mark.parametrize("name", PROMPTS)
def test_positions_equal_the_librarys(network: LoadedNetwork, name: str) -> None:
    prompt = encode(network, PROMPTS[name])
    inputs = library_inputs(network, prompt)
    grids = {key: value for key, value in inputs.items() if key.endswith("thw")}
    positions, _ = network.network.model.get_rope_index(
        inputs["input_ids"], inputs["mm_token_type_ids"], **grids
    )
    assert torch.equal(prompt.positions, positions[:, 0])


def test_features_equal_the_librarys(network: LoadedNetwork) -> None:
    prompt = encode(network, PROMPTS["picture"])
    inputs = library_inputs(network, prompt)
    with torch.inference_mode():
        expected = network.network.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])
    rows, columns = inputs["image_grid_thw"][0, 1:].tolist()
    found = network.vision.encode(inputs["pixel_values"], rows, columns)
    torch.testing.assert_close(found.merged, expected.pooler_output[0], rtol=0, atol=1e-4)
    assert float(found.merged.std()) > 1e-3
    for ours, theirs in zip(found.deepstack, expected.deepstack_features, strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-4)


def test_a_mixture_of_experts_gives_the_librarys_tokens(random_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(random_folder, tmp_path / "moe"))
    config = json.loads((folder / "config.json").read_text())
    config["text_config"].update(
        num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, model_type="qwen3_vl_moe_text"
    )
    config["vision_config"]["model_type"] = "qwen3_vl_moe_vision"
    torch.manual_seed(0)
    made = Qwen3VLMoeForConditionalGeneration(Qwen3VLMoeConfig(**config))
    for layer in made.model.language_model.layers:
        torch.nn.init.normal_(layer.self_attn.v_proj.weight, std=0.5)
        torch.nn.init.normal_(layer.mlp.experts.down_proj, std=0.5)
    made.save_pretrained(folder)
    model = load_network(open_folder(folder), LoadOptions(device="cpu"), lambda *_: None)
    assert_same(model, PROMPTS["both"])
