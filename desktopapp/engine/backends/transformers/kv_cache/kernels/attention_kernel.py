"""Attention over the cache's blocks: flash attention whose tiles are decoded in registers.

All query heads of a key head stand in one tile of rows (row = token * group + head of the group), so keys and values
are read once for all of them. Many programs may share a sequence (`splits`), each with a run of its keys; lengths
come from device memory, so the grid is the same for every length.

Scales never touch the codes. A key's scale multiplies its scores. A value's scale is part of the softmax's weight:
with u = score + log2(scale), w = 2^(u - max u) is at most 1 and float16 holds it, the output is
sum(w * code), and the denominator sum(w / scale).

Source: Dao et al., "FlashAttention" (2022); split over keys: Dao et al., "Flash-Decoding" (2023).
"""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.codes import decode_codes
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit

# Weights are kept 2^8 times larger, away from the numbers that float16 holds with few digits.
_HEADROOM = tl.constexpr(8.0)
_LN2 = tl.constexpr(0.6931471805599453)


@jit
def attention_kernel(
    query: tl.tensor,
    output: tl.tensor,
    logsumexp: tl.tensor,
    block_table: tl.tensor,
    past_tokens: tl.tensor,
    head_stride: tl.int32,
    token_stride: tl.int32,
    layer_offset: tl.int64,
    count: tl.int32,
    first_key: tl.int32,
    scale_log2: tl.float32,
    kind: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    group: tl.constexpr,
    block_tokens: tl.constexpr,
    tile_rows: tl.constexpr,
    tile_keys: tl.constexpr,
    is_packed: tl.constexpr,
) -> None:
    """One tile of rows, one key head, one run of keys.

    Grid: (row tiles, kv_heads, splits).

    Args:
        query: (heads, count, head_dim) with `head_stride` and `token_stride`.
        output: (splits, heads, count, head_dim), normalised.
        logsumexp: float32 (splits, heads, count); -inf where a run is empty.
        block_table: int64 addresses of blocks.
        past_tokens: int32 (1,), tokens before the queries'.
        head_stride: of the query, in elements.
        token_stride: of the query, in elements.
        layer_offset: bytes from a block's start to the layer's part.
        count: queries.
        first_key: keys before it are left out; a multiple of `tile_keys`.
        scale_log2: of the scores, times log2(e).
        kind: the cache's format.
        head_dim: channels.
        kv_heads: of the layer.
        group: query heads of a key head.
        block_tokens: of the cache.
        tile_rows: 16 or more.
        tile_keys: divides `block_tokens`.
        is_packed: see `codes.py`.
    """
    tile = tl.num_programs(0) - 1 - tl.program_id(0)
    kv_head = tl.program_id(1)
    split, splits = tl.program_id(2), tl.num_programs(2)
    half: tl.constexpr = head_dim // 2
    columns: tl.constexpr = half if kind == "int4" else head_dim

    rows = tile * tile_rows + tl.arange(0, tile_rows)
    token, head = rows // group, kv_head * group + rows % group
    is_row = token < count
    source = query + head.to(tl.int64)[:, None] * head_stride + token.to(tl.int64)[:, None] * token_stride
    channels = tl.arange(0, columns)[None, :]
    low = tl.load(source + channels, mask=is_row[:, None], other=0.0)
    high = low
    if kind == "int4":
        high = tl.load(source + half + channels, mask=is_row[:, None], other=0.0)
    factor = tl.full((tile_rows,), scale_log2, tl.float32)
    if kind != "16bit":
        # Divided by a row's largest number, queries cannot overflow float16.
        largest = tl.max(tl.abs(low.to(tl.float32)), 1)
        if kind == "int4":
            largest = tl.maximum(largest, tl.max(tl.abs(high.to(tl.float32)), 1))
        largest = tl.maximum(largest, 1e-30)
        factor = factor * largest
        low = (low.to(tl.float32) / largest[:, None]).to(tl.float16)
        high = (high.to(tl.float32) / largest[:, None]).to(tl.float16)

    past = tl.load(past_tokens)
    last_visible = past + tl.minimum(token, count - 1)
    end = past + tl.minimum((tile * tile_rows + tile_rows - 1) // group, count - 1) + 1
    run = tl.cdiv(tl.cdiv(end - first_key, tile_keys), splits) * tile_keys
    start = first_key + split * run
    stop = tl.minimum(start + run, end)
    unmasked = (past + tl.minimum((tile * tile_rows) // group, count - 1) + 1) // tile_keys * tile_keys
    middle = tl.maximum(tl.minimum(stop, unmasked), start)

    reference = tl.full((tile_rows,), float("-inf"), tl.float32)
    total = tl.zeros((tile_rows,), tl.float32)
    result = tl.zeros((tile_rows, columns), tl.float32)
    result_high = tl.zeros((tile_rows, columns), tl.float32)
    for key in range(start, middle, tile_keys):
        reference, total, result, result_high = _add_tile(
            low, high, factor, last_visible, reference, total, result, result_high,
            block_table, layer_offset, kv_head, key, end,
            kind, head_dim, kv_heads, block_tokens, tile_keys, is_packed, False,
        )  # fmt: skip
    for key in range(middle, stop, tile_keys):
        reference, total, result, result_high = _add_tile(
            low, high, factor, last_visible, reference, total, result, result_high,
            block_table, layer_offset, kv_head, key, end,
            kind, head_dim, kv_heads, block_tokens, tile_keys, is_packed, True,
        )  # fmt: skip

    is_empty = total == 0.0
    inverse = 1.0 / tl.where(is_empty, 1.0, total)
    heads: tl.constexpr = kv_heads * group
    place = (split * heads + head).to(tl.int64) * count + token
    sums = tl.where(is_empty, float("-inf"), (reference + tl.log2(tl.where(is_empty, 1.0, total))) * _LN2)
    tl.store(logsumexp + place, sums, mask=is_row)
    target = output + place[:, None] * head_dim + channels
    element: tl.constexpr = output.dtype.element_ty
    tl.store(target, (result * inverse[:, None]).to(element), mask=is_row[:, None])
    if kind == "int4":
        tl.store(target + half, (result_high * inverse[:, None]).to(element), mask=is_row[:, None])


@jit
def _add_tile(
    low: tl.tensor,
    high: tl.tensor,
    factor: tl.tensor,
    last_visible: tl.tensor,
    reference: tl.tensor,
    total: tl.tensor,
    result: tl.tensor,
    result_high: tl.tensor,
    block_table: tl.tensor,
    layer_offset: tl.int64,
    kv_head: tl.int32,
    key: tl.int32,
    end: tl.int32,
    kind: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    block_tokens: tl.constexpr,
    tile_keys: tl.constexpr,
    is_packed: tl.constexpr,
    is_masked: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor, tl.tensor, tl.tensor]:
    """Go on with the running softmax over the keys from `key` on, in one block."""
    address = tl.load(block_table + key // block_tokens) + layer_offset
    slots = key % block_tokens + tl.arange(0, tile_keys)
    is_key = key + tl.arange(0, tile_keys) < end
    if kind == "16bit":
        element: tl.constexpr = low.dtype
        row_bytes: tl.constexpr = head_dim * (element.primitive_bitwidth // 8)
        vectors = (kv_head * block_tokens + slots)[:, None] * head_dim + tl.arange(0, head_dim)[None, :]
        keys_at = tl.multiple_of(address.to(tl.pointer_type(element)), 16)
        values_at = tl.multiple_of(
            (address + kv_heads * block_tokens * row_bytes).to(tl.pointer_type(element)), 16
        )
        keys = _load_tile(keys_at + vectors, is_key, is_masked)
        values = _load_tile(values_at + vectors, is_key, is_masked)
        weighted = tl.dot(low, tl.trans(keys), input_precision="ieee") * factor[:, None]
        if is_masked:
            weighted = tl.where(
                (key + tl.arange(0, tile_keys))[None, :] <= last_visible[:, None], weighted, float("-inf")
            )
        new_reference = tl.maximum(reference, tl.max(weighted, 1))
        shift = tl.where(new_reference == float("-inf"), 0.0, new_reference)
        weights = tl.exp2(weighted - shift[:, None])
        shrink = tl.exp2(reference - shift)
        total = total * shrink + tl.sum(weights, 1)
        result = tl.dot(weights.to(element), values, result * shrink[:, None], input_precision="ieee")
    else:
        groups: tl.constexpr = 2 if kind == "int4" else 1
        vector_bytes: tl.constexpr = head_dim // groups
        codes_bytes: tl.constexpr = kv_heads * block_tokens * vector_bytes
        scale_count: tl.constexpr = kv_heads * groups * block_tokens
        vectors = (kv_head * block_tokens + slots)[:, None] * vector_bytes + tl.arange(0, vector_bytes)[
            None, :
        ]
        codes_at = tl.multiple_of(address.to(tl.pointer_type(tl.uint8)), 16)
        scales_at = tl.multiple_of((address + 2 * codes_bytes).to(tl.pointer_type(tl.bfloat16)), 16)
        scale_slots = kv_head * groups * block_tokens + slots
        key_codes = _load_tile(codes_at + vectors, is_key, is_masked)
        value_codes = _load_tile(codes_at + codes_bytes + vectors, is_key, is_masked)
        key_scales = _load_scales(scales_at + scale_slots, is_key, is_masked)
        value_scales = _load_scales(scales_at + scale_count + scale_slots, is_key, is_masked)
        scores = tl.dot(low, tl.trans(decode_codes(key_codes, kind, is_packed)))
        largest_scales = value_scales
        if kind == "int4":
            key_scales_high = _load_scales(scales_at + block_tokens + scale_slots, is_key, is_masked)
            value_scales_high = _load_scales(
                scales_at + scale_count + block_tokens + scale_slots, is_key, is_masked
            )
            largest_scales = tl.maximum(value_scales, value_scales_high)
            scores_high = tl.dot(high, tl.trans(decode_codes(key_codes >> 4, kind, is_packed)))
            scores = scores * key_scales[None, :] + scores_high * key_scales_high[None, :]
        else:
            scores = scores * key_scales[None, :]
        weighted = scores * factor[:, None] + tl.log2(largest_scales)[None, :]
        if is_masked:
            weighted = tl.where(
                (key + tl.arange(0, tile_keys))[None, :] <= last_visible[:, None], weighted, float("-inf")
            )
        new_reference = tl.maximum(reference, tl.max(weighted, 1) - _HEADROOM)
        shift = tl.where(new_reference == float("-inf"), 0.0, new_reference)
        weights = tl.exp2(weighted - shift[:, None])
        shrink = tl.exp2(reference - shift)
        total = total * shrink + tl.sum(weights * (1.0 / largest_scales)[None, :], 1)
        if kind == "int4":
            shares = (value_scales / largest_scales)[None, :]
            shares_high = (value_scales_high / largest_scales)[None, :]
            values_high = decode_codes(value_codes >> 4, kind, is_packed)
            result_high = tl.dot(
                (weights * shares_high).to(tl.float16), values_high, result_high * shrink[:, None]
            )
            weights = weights * shares
        values = decode_codes(value_codes, kind, is_packed)
        result = tl.dot(weights.to(tl.float16), values, result * shrink[:, None])
    return new_reference, total, result, result_high


@jit
def _load_tile(places: tl.tensor, is_key: tl.tensor, is_masked: tl.constexpr) -> tl.tensor:
    """(keys, channels); what lies behind the last key was never written and may be no number."""
    if is_masked:
        return tl.load(places, mask=is_key[:, None], other=0)
    return tl.load(places)


@jit
def _load_scales(places: tl.tensor, is_key: tl.tensor, is_masked: tl.constexpr) -> tl.tensor:
    """float32 (keys,)."""
    if is_masked:
        return tl.load(places, mask=is_key, other=1.0).to(tl.float32)
    return tl.load(places).to(tl.float32)
