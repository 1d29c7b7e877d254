"""config.json and generation_config.json of a dense Qwen3-VL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktopapp.engine.request import SamplingOverrides
from desktopapp.engine.sampling import resolve_sampling
from desktopapp.modelstore.model import ModelKind
from models.qwen_files.processors import FRAMES_A_PATCH, MERGE_SIZE, PATCH_PX
from models.qwen_files.tokenizer import (
    END_OF_TEXT,
    IMAGE_PAD,
    TURN_END,
    VIDEO_PAD,
    VISION_END,
    VISION_START,
    write_json,
)
from models.qwen_files.weights import FloatType

HEAD_DIM = 128
ROPE_THETA = 5_000_000
RMS_NORM_EPSILON = 1e-6
# Rotary frequencies given to time, height and width; they add up to half a head.
MROPE_SECTION = (24, 20, 20)
_TORCH_TYPE = {"BF16": "bfloat16", "F32": "float32"}


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a dense Qwen3-VL.

    Args:
        vocabulary: rows of the token embedding, which is the output matrix as well.
        layers: of the language model.
        hidden: its width.
        feed_forward: width inside its MLP.
        heads: query heads of 128.
        kv_heads: key and value heads, a divisor of `heads`.
        context_tokens: longest sequence.
        vision_layers: of the vision tower.
        vision_hidden: its width, a multiple of four times `vision_heads`.
        vision_feed_forward: width inside its MLP.
        vision_heads: its attention heads.
        vision_positions: learned positions, a square number.
        deepstack_layers: vision layers whose output is added to the first layers of the language model.
    """

    vocabulary: int
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    context_tokens: int
    vision_layers: int
    vision_hidden: int
    vision_feed_forward: int
    vision_heads: int
    vision_positions: int = 2304
    deepstack_layers: tuple[int, ...] = (0, 1, 2)


def write_configs(
    folder: Path,
    shape: ModelShape,
    kind: ModelKind,
    token_ids: Mapping[str, int],
    *,
    dtype: FloatType,
    is_greedy: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write config.json and generation_config.json.

    Args:
        folder: of the model; exists.
        shape: of the weights.
        kind: decides the sampling defaults.
        token_ids: id of each control token by its text.
        dtype: of the stored weights.
        is_greedy: its makers want the likeliest token taken always, without penalties.
        extra: further fields of config.json.
    """
    write_json(folder / "config.json", _config(shape, token_ids, dtype) | dict(extra or {}))
    defaults = resolve_sampling(kind, SamplingOverrides())
    recipe = {
        "repetition_penalty": defaults.repetition_penalty,
        "temperature": defaults.temperature,
        "top_k": defaults.top_k,
        "top_p": defaults.top_p,
    }
    generation = {
        "bos_token_id": token_ids[END_OF_TEXT],
        "do_sample": not is_greedy,
        "eos_token_id": [token_ids[TURN_END], token_ids[END_OF_TEXT]],
        "pad_token_id": token_ids[END_OF_TEXT],
    } | ({} if is_greedy else recipe)
    write_json(folder / "generation_config.json", generation)


def _config(shape: ModelShape, token_ids: Mapping[str, int], dtype: FloatType) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "dtype": _TORCH_TYPE[dtype],
        "image_token_id": token_ids[IMAGE_PAD],
        "model_type": "qwen3_vl",
        "text_config": _text_config(shape, token_ids),
        "tie_word_embeddings": True,
        "video_token_id": token_ids[VIDEO_PAD],
        "vision_config": _vision_config(shape),
        "vision_end_token_id": token_ids[VISION_END],
        "vision_start_token_id": token_ids[VISION_START],
    }


def _text_config(shape: ModelShape, token_ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": token_ids[END_OF_TEXT],
        "eos_token_id": token_ids[TURN_END],
        "head_dim": HEAD_DIM,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.feed_forward,
        "max_position_embeddings": shape.context_tokens,
        "model_type": "qwen3_vl_text",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": RMS_NORM_EPSILON,
        "rope_scaling": {
            "mrope_interleaved": True,
            "mrope_section": list(MROPE_SECTION),
            "rope_type": "default",
        },
        "rope_theta": ROPE_THETA,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": shape.vocabulary,
    }


def _vision_config(shape: ModelShape) -> dict[str, Any]:
    return {
        "deepstack_visual_indexes": list(shape.deepstack_layers),
        "depth": shape.vision_layers,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": shape.vision_hidden,
        "in_channels": 3,
        "initializer_range": 0.02,
        "intermediate_size": shape.vision_feed_forward,
        "model_type": "qwen3_vl",
        "num_heads": shape.vision_heads,
        "num_position_embeddings": shape.vision_positions,
        "out_hidden_size": shape.hidden,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE_SIZE,
        "temporal_patch_size": FRAMES_A_PATCH,
    }
