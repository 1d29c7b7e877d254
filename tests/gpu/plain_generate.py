"""The baseline: transformers' own `generate` over a whole prompt."""

from __future__ import annotations

import time
from typing import Any

import torch

from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.vision import make_patches
from tests.gpu.large_model import IMAGE_TOKEN, RULE


def plain_inputs(prompt: EncodedPrompt) -> dict[str, Any]:
    """A prompt as `generate` takes it; its pictures are decoded and cut here, before any clock runs."""
    device = torch.device("cuda")
    ids = torch.tensor([prompt.token_ids], device=device)
    inputs: dict[str, Any] = {"input_ids": ids, "mm_token_type_ids": (ids == IMAGE_TOKEN).int()}
    if prompt.images:
        sizes = [(image.width, image.height) for image in prompt.images]
        inputs["image_grid_thw"] = torch.tensor([(1, *RULE.grid(*size)) for size in sizes], device=device)
        patches = [
            make_patches([image.frames[0].decode()], RULE, device, torch.bfloat16) for image in prompt.images
        ]
        inputs["pixel_values"] = torch.cat(patches)
    return inputs


def run_plainly(network: Any, prompt: EncodedPrompt, new_tokens: int) -> tuple[float, float, list[int]]:
    """Generate greedily.

    Returns:
        seconds to the first token, tokens a second behind it, the tokens.
    """
    inputs = plain_inputs(prompt)
    stamps: list[float] = []

    def stamp(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        torch.cuda.synchronize()
        stamps.append(time.perf_counter())
        return scores

    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    network.generation_config.eos_token_id = None
    output = network.generate(
        **inputs, max_new_tokens=new_tokens, do_sample=False, logits_processor=[stamp], pad_token_id=0
    )
    rate = (len(stamps) - 1) / (stamps[-1] - stamps[0]) if len(stamps) > 1 else 0.0
    return stamps[0] - began, rate, output[0, len(prompt.token_ids) :].tolist()
