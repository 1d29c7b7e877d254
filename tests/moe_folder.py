"""A mixture of experts made out of a dense random model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

EXPERTS, WIDTH, HIDDEN = 3, 48, 64


def make_moe(folder: Path, *, published_layout: bool) -> dict[str, NDArray[Any]]:
    """Turn the folder of a dense model into one with three experts a layer.

    Args:
        folder: of the small random model; changed.
        published_layout: experts as (experts, inputs, outputs), as Qwen's own checkpoints have them; else as
            transformers holds them, with the last two swapped.

    Returns:
        the tensors by name.
    """
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "qwen3_vl_moe", "architectures": ["Qwen3VLMoeForConditionalGeneration"]}
    config["text_config"] |= {
        "model_type": "qwen3_vl_moe_text",
        "num_experts": EXPERTS,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": WIDTH,
        "norm_topk_prob": True,
    }
    config["vision_config"]["model_type"] = "qwen3_vl_moe"
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(folder / "model.safetensors")
    random = np.random.default_rng(5)
    for layer in range(config["text_config"]["num_hidden_layers"]):
        prefix = f"model.language_model.layers.{layer}.mlp."
        for name in ("gate_proj", "up_proj", "down_proj"):
            del weights[f"{prefix}{name}.weight"]
        gate_up = random.standard_normal((EXPERTS, 2 * WIDTH, HIDDEN), np.float32)
        down = random.standard_normal((EXPERTS, HIDDEN, WIDTH), np.float32)
        if published_layout:
            gate_up, down = (np.ascontiguousarray(array.transpose(0, 2, 1)) for array in (gate_up, down))
        weights[f"{prefix}gate.weight"] = random.standard_normal((EXPERTS, HIDDEN), np.float32)
        weights[f"{prefix}experts.gate_up_proj"] = gate_up
        weights[f"{prefix}experts.down_proj"] = down
    save_file(weights, folder / "model.safetensors")
    return weights
