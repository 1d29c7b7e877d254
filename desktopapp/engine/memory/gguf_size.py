"""How large a GGUF is in a precision, from the model's shape alone, for models that are not here yet.

Source of the mixture in `Q4_K_M`: `llama_tensor_get_type` in `src/llama-quant.cpp` of the llama.cpp in
llama-cpp-python 0.3.36. Half of the layers (the first and the last eighth, and every third between) keep the values'
and the MLP's last matrix in Q6_K, as does the output matrix. Within 0.5 % of the published files of 2B, 4B and 8B.
"""

from __future__ import annotations

from dataclasses import replace

from desktopapp.engine.memory.spec import ModelSpec, TextShape
from desktopapp.modelstore.gguf_types import TENSOR_TYPES
from desktopapp.modelstore.model import WeightFormat

_BYTES_A_WEIGHT = {kind.name: kind.block_bytes / kind.block_elements for kind in TENSOR_TYPES.values()}
_Q4, _Q6 = _BYTES_A_WEIGHT["Q4_K"], _BYTES_A_WEIGHT["Q6_K"]
_MIXED = "Q4_K_M"
_PROJECTOR_BYTES = 2
"""Of one weight: mmproj files are published in 16 bits."""


def as_gguf(
    spec: ModelSpec, precision: str, text_bytes: int | None = None, projector_bytes: int | None = None
) -> ModelSpec:
    """The same model as a GGUF.

    Args:
        spec: as it is published in 16 bits.
        precision: of the GGUF.
        text_bytes: size of its file, where it is known.
        projector_bytes: likewise of the mmproj file.
    """
    repeated, lookup, output = _parts(spec.text, precision)
    computed = repeated + lookup + output
    total = computed if text_bytes is None else text_bytes
    scale = total / computed
    return replace(
        spec,
        format=WeightFormat.GGUF,
        precision=precision,
        text_bytes=round(total),
        vision_bytes=projector_bytes or spec.vision.weights * _PROJECTOR_BYTES,
        is_measured=text_bytes is not None,
        repeated_bytes=round(repeated * scale),
        lookup_bytes=0 if spec.text.tied_embeddings else round(lookup * scale),
    )


def _parts(text: TextShape, precision: str) -> tuple[float, float, float]:
    """Bytes of the layers, of the token embedding, and of the output matrix where that is another one."""
    embedding = text.vocabulary * text.hidden
    layers = text.weights - embedding * (1 if text.tied_embeddings else 2)
    if precision == _MIXED:
        finer = _finer_layers(text.layers) / text.layers * _finer_weights(text)
        repeated = layers * _Q4 + finer * (_Q6 - _Q4)
        # Where there is but one matrix it is the output's.
        return (
            (repeated, embedding * _Q6, 0)
            if text.tied_embeddings
            else (repeated, embedding * _Q4, embedding * _Q6)
        )
    each = _BYTES_A_WEIGHT.get(precision, _BYTES_A_WEIGHT["F16"])
    return layers * each, embedding * each, 0 if text.tied_embeddings else embedding * each


def _finer_weights(text: TextShape) -> int:
    """In all layers, of the values' matrix and of the last of the MLP."""
    dense = text.feed_forward * text.hidden
    last = text.experts * text.expert_feed_forward * text.hidden if text.experts else dense
    return text.layers * (text.kv_width * text.hidden + last)


def _finer_layers(layers: int) -> int:
    eighth = layers // 8
    return sum(
        layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2 for layer in range(layers)
    )
