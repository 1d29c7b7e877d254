"""Memory of the KV cache: blocks of tokens that are allocated as a sequence grows and never moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from desktopapp.engine.memory.kv_format import SCALE_BYTES, KvFormat


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """How a block's bytes are divided.

    A block holds `tokens` tokens of all layers, layer after layer. A layer's part is: the codes of its keys
    (kv_heads, tokens, vector_bytes), those of its values, then the scales of its keys
    (kv_heads, groups, tokens) and of its values.

    Args:
        kv_format: number format.
        layers: of the network.
        kv_heads: key and value heads of a layer.
        head_dim: channels of a head.
        dtype: that the model computes in.
        tokens: a block's, a multiple of 64.
    """

    kv_format: KvFormat
    layers: int
    kv_heads: int
    head_dim: int
    dtype: torch.dtype
    tokens: int

    @property
    def vector_bytes(self) -> int:
        """Codes of one key or value."""
        return self.kv_format.vector_bytes(self.head_dim, self.dtype.itemsize)

    @property
    def codes_bytes(self) -> int:
        """Codes of one layer's keys, or values, in one block."""
        return self.kv_heads * self.tokens * self.vector_bytes

    @property
    def scales_bytes(self) -> int:
        """Scales of one layer's keys, or values, in one block."""
        return self.kv_heads * self.kv_format.scale_groups * self.tokens * SCALE_BYTES

    @property
    def layer_bytes(self) -> int:
        """One layer's part of a block."""
        return 2 * (self.codes_bytes + self.scales_bytes)

    @property
    def block_bytes(self) -> int:
        """A whole block."""
        return self.layers * self.layer_bytes


@dataclass(frozen=True, slots=True)
class LayerBlock:
    """One layer's part of one block, as typed views.

    Args:
        keys: (kv_heads, tokens, head_dim) of the model's type, or uint8 (kv_heads, tokens, vector_bytes).
        values: like keys.
        key_scales: bfloat16 (kv_heads, groups, tokens).
        value_scales: like key_scales.
    """

    keys: torch.Tensor
    values: torch.Tensor
    key_scales: torch.Tensor
    value_scales: torch.Tensor


def view_layer(block: torch.Tensor, layout: BlockLayout, layer: int) -> LayerBlock:
    """Views of a layer's part.

    Args:
        block: uint8 (block_bytes,).
        layout: its division.
        layer: which one.
    """
    sizes = [layout.codes_bytes] * 2 + [layout.scales_bytes] * 2
    part = block.narrow(0, layer * layout.layer_bytes, layout.layer_bytes)
    keys, values, key_scales, value_scales = torch.split(part, sizes)
    code_type = torch.uint8 if layout.kv_format.is_quantised else layout.dtype
    codes_shape = (layout.kv_heads, layout.tokens, -1 if layout.codes_bytes else 0)
    scales_shape = (layout.kv_heads, layout.kv_format.scale_groups, layout.tokens)
    return LayerBlock(
        keys.view(code_type).view(codes_shape),
        values.view(code_type).view(codes_shape),
        key_scales.view(torch.bfloat16).view(scales_shape),
        value_scales.view(torch.bfloat16).view(scales_shape),
    )
