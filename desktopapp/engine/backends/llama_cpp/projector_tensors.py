"""The tensors that llama.cpp's graph of Qwen3-VL's vision tower cannot do without.

Its loader takes most of them for optional, and the graph then reads through a null pointer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktopapp.modelstore.gguf_metadata import GgufHeader

_DEEPSTACK = re.compile(r"v\.deepstack\.(\d+)\.")
_MERGED_PATCHES = 4
_CHANNELS = 3


def deepstack_layers(header: GgufHeader) -> set[int]:
    """Layers of the vision tower whose output goes to the text model."""
    matches = (_DEEPSTACK.match(tensor.name) for tensor in header.tensors)
    return {int(match[1]) for match in matches if match}


def find_bad_tensor(header: GgufHeader) -> str | None:
    """Name of the first tensor that is missing or has another shape than the keys say; None when all is well.

    Args:
        header: of an mmproj whose counts are above zero.
    """
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    return next((name for name, shape in _expected(header) if shapes.get(name) != shape), None)


def _expected(header: GgufHeader) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes, the fastest-changing axis first; one by one, since a damaged file may promise billions."""
    width = header.integer("clip.vision.embedding_length")
    inner = header.integer("clip.vision.feed_forward_length")
    output = header.integer("clip.vision.projection_dim")
    patch = header.integer("clip.vision.patch_size")
    side = header.integer("clip.vision.image_size") // patch
    merged = width * _MERGED_PATCHES
    common: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (patch, patch, _CHANNELS, width),
        "v.patch_embd.weight.1": (patch, patch, _CHANNELS, width),
        "v.patch_embd.bias": (width,),
        "v.position_embd.weight": (width, side * side),
        **_norm("v.post_ln", width),
        **_linear("mm.0", merged, merged),
        **_linear("mm.2", merged, output),
    }
    yield from common.items()
    for block in range(header.integer("clip.vision.block_count")):
        prefix = f"v.blk.{block}"
        block_shapes = {
            **_norm(f"{prefix}.ln1", width),
            **_norm(f"{prefix}.ln2", width),
            **_linear(f"{prefix}.attn_qkv", width, 3 * width),
            **_linear(f"{prefix}.attn_out", width, width),
            **_linear(f"{prefix}.ffn_up", width, inner),
            **_linear(f"{prefix}.ffn_down", inner, width),
        }
        yield from block_shapes.items()
    for layer in deepstack_layers(header):
        prefix = f"v.deepstack.{layer}"
        yield from _norm(f"{prefix}.norm", merged).items()
        yield from _linear(f"{prefix}.fc1", merged, merged).items()
        yield from _linear(f"{prefix}.fc2", merged, output).items()


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (outputs,)}
