"""Folders of models with the published shapes and random weights, drawn on the GPU and loaded as any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from desktopapp.modelstore.model import ModelFiles, ModelKind, WeightFormat
from models.qwen_files.chat_template import write_chat_template
from models.qwen_files.config import ModelShape, write_configs
from models.qwen_files.processors import write_processors
from models.qwen_files.tokenizer import make_tokenizer, write_tokenizer

_VISION: dict[str, Any] = {
    "vision_layers": 24,
    "vision_hidden": 1024,
    "vision_feed_forward": 4096,
    "vision_heads": 16,
    "deepstack_layers": (5, 11, 17),
}
_TEXT: dict[str, Any] = {"vocabulary": 151936, "kv_heads": 8, "context_tokens": 262144}
SHAPES = {
    "2B": ModelShape(layers=28, hidden=2048, feed_forward=6144, heads=16, **_TEXT, **_VISION),
    "4B": ModelShape(layers=36, hidden=2560, feed_forward=9728, heads=32, **_TEXT, **_VISION),
}
_DEVIATION = 0.02


def true_shape_folder(size: str, place: Path, shape: ModelShape | None = None) -> ModelFiles:
    """Make a complete folder in bfloat16, or find the one that was made before.

    Args:
        size: `2B` or `4B`.
        place: that it is made in.
        shape: instead of that of `size`.
    """
    folder = place / f"qwen3-vl-{size}-random"
    weights = folder / "model.safetensors"
    if not weights.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shape = shape or SHAPES[size]
        tokenizer = make_tokenizer()
        token_ids = tokenizer.get_vocab(with_added_tokens=True)
        write_tokenizer(folder, tokenizer, context_tokens=shape.context_tokens)
        write_chat_template(folder, ModelKind.INSTRUCT)
        write_processors(folder)
        write_configs(
            folder, shape, ModelKind.INSTRUCT, token_ids, dtype="BF16", extra={"random_weights": True}
        )
        save_file(_random_weights(folder), weights, metadata={"format": "pt"})
        torch.cuda.empty_cache()
    return ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", weights.stat().st_size)


def _random_weights(folder: Path) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        network = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(folder))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    return {
        name: _draw(name, value.shape, device)
        for name, value in network.state_dict().items()
        if name != "lm_head.weight"
    }


def _draw(name: str, shape: torch.Size, device: str) -> torch.Tensor:
    if "norm" in name and name.endswith("weight"):
        return torch.ones(shape, dtype=torch.bfloat16)
    values = torch.empty(shape, dtype=torch.bfloat16, device=device).normal_(std=_DEVIATION)
    return values.cpu()
