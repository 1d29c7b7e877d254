"""Writes tokens into the cache's blocks, and decodes runs of them for attention by the libraries' kernels."""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.codes import (
    code_unit,
    decode_units,
    encode_codes,
    halve,
    pack_units,
    vector_scales,
)
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit


@jit
def append_kernel(
    keys: tl.tensor,
    values: tl.tensor,
    block_table: tl.tensor,
    past_tokens: tl.tensor,
    key_head_stride: tl.int32,
    key_token_stride: tl.int32,
    value_head_stride: tl.int32,
    value_token_stride: tl.int32,
    layer_offset: tl.int64,
    count: tl.int32,
    kind: tl.constexpr,
    largest: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    block_tokens: tl.constexpr,
    tile_tokens: tl.constexpr,
) -> None:
    """Store `count` tokens behind those that are there.

    Grid: (token tiles, kv_heads, 2 for keys and values).

    Args:
        keys: (kv_heads, count, head_dim), strides given, rotated where the format wants it.
        values: like keys.
        block_table: int64 addresses of blocks.
        past_tokens: int32 (1,), tokens before these.
        key_head_stride: in elements.
        key_token_stride: in elements.
        value_head_stride: in elements.
        value_token_stride: in elements.
        layer_offset: bytes from a block's start to the layer's part.
        count: tokens.
        kind: the cache's format.
        largest: see `codec.LARGEST_CODE`.
        head_dim: channels.
        kv_heads: of the layer.
        block_tokens: of the cache.
        tile_tokens: that one program stores.
    """
    kv_head, side = tl.program_id(1), tl.program_id(2)
    token = tl.program_id(0) * tile_tokens + tl.arange(0, tile_tokens)
    source = keys + kv_head.to(tl.int64) * key_head_stride
    stride = key_token_stride
    if side == 1:
        source = values + kv_head.to(tl.int64) * value_head_stride
        stride = value_token_stride
    places = source + token.to(tl.int64)[:, None] * stride + tl.arange(0, head_dim)[None, :]
    vectors = tl.load(places, mask=(token < count)[:, None], other=0.0)
    store_vectors(
        vectors, tl.load(past_tokens) + token, token < count, side, kv_head, block_table, layer_offset,
        kind, largest, head_dim, kv_heads, block_tokens, tile_tokens,
    )  # fmt: skip


@jit
def store_vectors(
    vectors: tl.tensor,
    positions: tl.tensor,
    is_token: tl.tensor,
    side: tl.int32,
    kv_head: tl.int32,
    block_table: tl.tensor,
    layer_offset: tl.int64,
    kind: tl.constexpr,
    largest: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    block_tokens: tl.constexpr,
    tile_tokens: tl.constexpr,
) -> None:
    """Encode (tile_tokens, head_dim) keys (`side` 0) or values (1) of one head and store them at `positions`."""
    address = tl.load(block_table + positions // block_tokens, mask=is_token, other=0) + layer_offset
    slots = positions % block_tokens
    row = kv_head * block_tokens + slots
    mask = is_token[:, None]
    if kind == "16bit":
        element: tl.constexpr = vectors.dtype
        side_bytes: tl.constexpr = kv_heads * block_tokens * head_dim * (element.primitive_bitwidth // 8)
        target = (address + side * side_bytes).to(tl.pointer_type(element))
        tl.store(
            target[:, None] + row[:, None] * head_dim + tl.arange(0, head_dim)[None, :], vectors, mask=mask
        )
    else:
        groups: tl.constexpr = 2 if kind == "int4" else 1
        vector_bytes: tl.constexpr = head_dim // groups
        units: tl.constexpr = vector_bytes // 2
        codes_bytes: tl.constexpr = kv_heads * block_tokens * vector_bytes
        scale_count: tl.constexpr = kv_heads * groups * block_tokens
        units_at = tl.multiple_of((address + side * codes_bytes).to(tl.pointer_type(tl.int16)), 16)
        units_at = (units_at + row * units)[:, None] + tl.arange(0, units)[None, :]
        scales_at = (address + 2 * codes_bytes + 2 * side * scale_count).to(tl.pointer_type(tl.int16))
        scales_at += kv_head * groups * block_tokens + slots
        numbers = vectors.to(tl.float32)
        if kind == "int4":
            low, high = halve(numbers)
            low_codes = _store_scales_and_encode(low, scales_at, is_token, kind, largest)
            high_codes = _store_scales_and_encode(high, scales_at + block_tokens, is_token, kind, largest)
            packed = pack_units(low_codes, 4) | (pack_units(high_codes, 4) << 8)
        else:
            packed = pack_units(_store_scales_and_encode(numbers, scales_at, is_token, kind, largest), 8)
        tl.store(units_at, packed.to(tl.int16), mask=mask)


@jit
def _store_scales_and_encode(
    numbers: tl.tensor, scales_at: tl.tensor, is_token: tl.tensor, kind: tl.constexpr, largest: tl.constexpr
) -> tl.tensor:
    """Store a scale for each row of (tokens, channels) float32; returns the rows' codes."""
    scales = vector_scales(numbers, largest)
    tl.store(scales_at, (scales.to(tl.int32, bitcast=True) >> 16).to(tl.int16), mask=is_token)
    return encode_codes(tl.div_rn(numbers, tl.broadcast_to(scales[:, None], numbers.shape)), kind)


@jit
def expand_kernel(
    keys: tl.tensor,
    values: tl.tensor,
    block_table: tl.tensor,
    layer_offset: tl.int64,
    first: tl.int32,
    count: tl.int32,
    kind: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    block_tokens: tl.constexpr,
    tile_tokens: tl.constexpr,
    is_packed: tl.constexpr,
) -> None:
    """Decode tokens `first` to `first + count`, still rotated where the format is.

    Grid: (token tiles, kv_heads, 2 for keys and values).

    Args:
        keys: (kv_heads, count, head_dim), contiguous; receives keys.
        values: like keys.
        block_table: int64 addresses of blocks.
        layer_offset: bytes from a block's start to the layer's part.
        first: token.
        count: tokens.
        kind: the cache's format.
        head_dim: channels.
        kv_heads: of the layer.
        block_tokens: of the cache.
        tile_tokens: that one program decodes.
        is_packed: see `codes.py`.
    """
    kv_head, side = tl.program_id(1), tl.program_id(2)
    token = tl.program_id(0) * tile_tokens + tl.arange(0, tile_tokens)
    is_token = token < count
    position = first + token
    address = tl.load(block_table + position // block_tokens, mask=is_token, other=0) + layer_offset
    slots = position % block_tokens
    target = keys
    if side == 1:
        target = values
    target += (kv_head * count + token).to(tl.int64)[:, None] * head_dim
    element: tl.constexpr = keys.dtype.element_ty
    mask = is_token[:, None]
    row = kv_head * block_tokens + slots
    if kind == "16bit":
        side_bytes: tl.constexpr = kv_heads * block_tokens * head_dim * (element.primitive_bitwidth // 8)
        source = tl.multiple_of((address + side * side_bytes).to(tl.pointer_type(element)), 16)
        channels = tl.arange(0, head_dim)[None, :]
        numbers = tl.load((source + row * head_dim)[:, None] + channels, mask=mask, other=0.0)
        tl.store(target + channels, numbers, mask=mask)
    else:
        groups: tl.constexpr = 2 if kind == "int4" else 1
        parts: tl.constexpr = 2 * groups
        units: tl.constexpr = head_dim // parts
        codes_bytes: tl.constexpr = 2 * kv_heads * block_tokens * units
        scale_count: tl.constexpr = kv_heads * groups * block_tokens
        channels = tl.arange(0, units)[None, :]
        units_at = tl.multiple_of((address + side * codes_bytes).to(tl.pointer_type(tl.int16)), 16)
        codes = tl.load((units_at + row * units)[:, None] + channels, mask=mask, other=0)
        scales_at = (address + 2 * codes_bytes + 2 * side * scale_count).to(tl.pointer_type(tl.bfloat16))
        scales_at += kv_head * groups * block_tokens + slots
        for part in tl.static_range(parts):
            group_scales = tl.load(
                scales_at + part // 2 * (groups - 1) * block_tokens, mask=is_token, other=0.0
            )
            scales = group_scales.to(tl.float32) * code_unit(kind)
            numbers = decode_units(codes, part, kind, is_packed).to(tl.float32) * scales[:, None]
            tl.store(target + part * units + channels, numbers.to(element), mask=mask)
