"""config.json of the published dense Qwen3-VL members, as far as sizes go; with no weights beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TEXT = {
    "2B": {"num_hidden_layers": 28, "hidden_size": 2048, "intermediate_size": 6144, "num_attention_heads": 16},
    "4B": {"num_hidden_layers": 36, "hidden_size": 2560, "intermediate_size": 9728, "num_attention_heads": 32},
    "8B": {"num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288, "num_attention_heads": 32},
}  # fmt: skip
_SMALL_VISION = {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096}
_VISION = {
    "2B": _SMALL_VISION,
    "4B": _SMALL_VISION,
    "8B": {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304},
}
_DEEPSTACK = {"2B": [5, 11, 17], "4B": [5, 11, 17], "8B": [8, 16, 24]}


def published_config(size: str) -> dict[str, Any]:
    """The config of `2B`, `4B` or `8B`."""
    text: dict[str, Any] = {
        **_TEXT[size],
        "model_type": "qwen3_vl_text",
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "max_position_embeddings": 262144,
        "rms_norm_eps": 1e-6,
        "hidden_act": "silu",
        "attention_bias": False,
        "rope_theta": 5_000_000,
        "rope_scaling": {"mrope_interleaved": True, "mrope_section": [24, 20, 20], "rope_type": "default"},
    }
    vision: dict[str, Any] = {
        **_VISION[size],
        "model_type": "qwen3_vl",
        "num_heads": 16,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": _DEEPSTACK[size],
        "out_hidden_size": text["hidden_size"],
        "patch_size": 16,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "in_channels": 3,
        "hidden_act": "gelu_pytorch_tanh",
    }
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        "dtype": "bfloat16",
        "tie_word_embeddings": size != "8B",
        "image_token_id": 151655,
        "video_token_id": 151656,
        "vision_start_token_id": 151652,
        "vision_end_token_id": 151653,
        "text_config": text,
        "vision_config": vision,
    }


def write_published_config(folder: Path, size: str) -> None:
    """Write it as a download that was not begun."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(published_config(size)), encoding="utf-8")
