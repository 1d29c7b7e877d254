"""Attention over the cache's blocks: flash attention whose tiles are decoded in registers.

All query heads of a key head stand in one tile of rows (row = token * group + head of the group), so keys and values
are read once for all of them. Many programs may share a sequence (`splits`), each with a run of its keys; lengths
come from device memory, so the grid is the same for every length.

Two or four codes share 16 bits (see `codec.py`), so a tile of keys or values is loaded once, in a layout that the
matrix units' loads take, and its two or four runs of channels (parts) are masked out of it in registers.

Scales never touch the codes. A key's scale multiplies its scores. A value's scale is part of the softmax's weight:
with u = score + log2(scale), w = 2^(u - max u) is at most 1 and float16 holds it, the output is
sum(w * code), and the denominator sum(w / scale).

Source: Dao et al., "FlashAttention" (2022); split over keys: Dao et al., "Flash-Decoding" (2023).
"""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.codes import code_unit, decode_units
from desktopapp.engine.backends.transformers.kv_cache.kernels.fast_math import exp2, log2, reciprocal
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
        output: (splits, heads, count, head_dim), normalised; left as it is where a run is empty.
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
    parts: tl.constexpr = 1 if kind == "16bit" else (4 if kind == "int4" else 2)
    columns: tl.constexpr = head_dim // parts

    rows = tile * tile_rows + tl.arange(0, tile_rows)
    token, head = rows // group, kv_head * group + rows % group
    is_row = (token < count)[:, None]
    source = query + head.to(tl.int64)[:, None] * head_stride + token.to(tl.int64)[:, None] * token_stride
    channels = tl.arange(0, columns)[None, :]
    factor = tl.full((tile_rows,), scale_log2, tl.float32)
    if kind == "16bit":
        queries: tl.tuple = (tl.load(source + channels, mask=is_row, other=0.0),)
    else:
        # Divided by a row's largest number, queries cannot overflow float16.
        whole = tl.load(source + tl.arange(0, head_dim)[None, :], mask=is_row, other=0.0).to(tl.float32)
        largest = tl.maximum(tl.max(tl.abs(whole), 1), 1e-30)
        factor = factor * largest * code_unit(kind)
        queries = (
            _load_query(source + channels, is_row, largest),
            _load_query(source + columns + channels, is_row, largest),
        )
        if parts == 4:
            queries = (
                queries[0],
                queries[1],
                _load_query(source + 2 * columns + channels, is_row, largest),
                _load_query(source + 3 * columns + channels, is_row, largest),
            )

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
    nothing = tl.zeros((tile_rows, columns), tl.float32)
    results: tl.tuple = (nothing,)
    if parts == 2:
        results = (nothing, nothing)
    if parts == 4:
        results = (nothing, nothing, nothing, nothing)
    for key in range(start, middle, tile_keys):
        reference, total, results = _add_tile(
            queries, factor, last_visible, reference, total, results, block_table, layer_offset, kv_head, key, end,
            kind, head_dim, kv_heads, block_tokens, tile_keys, is_packed, False,
        )  # fmt: skip
    for key in range(middle, stop, tile_keys):
        reference, total, results = _add_tile(
            queries, factor, last_visible, reference, total, results, block_table, layer_offset, kv_head, key, end,
            kind, head_dim, kv_heads, block_tokens, tile_keys, is_packed, True,
        )  # fmt: skip

    is_empty = total == 0.0
    inverse = code_unit(kind) / tl.where(is_empty, 1.0, total)
    heads: tl.constexpr = kv_heads * group
    place = (split * heads + head).to(tl.int64) * count + token
    sums = tl.where(is_empty, float("-inf"), (reference + tl.log2(tl.where(is_empty, 1.0, total))) * _LN2)
    tl.store(logsumexp + place, sums, mask=token < count)
    target = output + place[:, None] * head_dim + channels
    for part in tl.static_range(parts):
        result = (results[part] * inverse[:, None]).to(output.dtype.element_ty)
        tl.store(target + part * columns, result, mask=is_row & (total > 0.0)[:, None])


@jit
def _load_query(places: tl.tensor, is_row: tl.tensor, largest: tl.tensor) -> tl.tensor:
    """float16 (rows, channels), each row over its `largest`."""
    return (tl.load(places, mask=is_row, other=0.0).to(tl.float32) / largest[:, None]).to(tl.float16)


@jit
def _add_tile(
    queries: tl.tuple,
    factor: tl.tensor,
    last_visible: tl.tensor,
    reference: tl.tensor,
    total: tl.tensor,
    results: tl.tuple,
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
) -> tl.tuple:
    """Go on with the running softmax over the keys from `key` on, in one block."""
    address = tl.load(block_table + key // block_tokens) + layer_offset
    row = kv_head * block_tokens + key % block_tokens + tl.arange(0, tile_keys)
    position = key + tl.arange(0, tile_keys)
    is_key = position < end
    is_visible = position[None, :] <= last_visible[:, None]
    if kind == "16bit":
        state = _add_numbers(
            queries, factor, is_visible, reference, total, results, address, row, is_key,
            head_dim, kv_heads * block_tokens, is_packed, is_masked,
        )  # fmt: skip
    else:
        scale_row = row + kv_head * (1 if kind == "int4" else 0) * block_tokens
        state = _add_codes(
            queries, factor, is_visible, reference, total, results, address, row, scale_row, is_key,
            kind, head_dim, kv_heads * block_tokens, block_tokens, is_packed, is_masked,
        )  # fmt: skip
    return state


@jit
def _add_numbers(
    queries: tl.tuple,
    factor: tl.tensor,
    is_visible: tl.tensor,
    reference: tl.tensor,
    total: tl.tensor,
    results: tl.tuple,
    address: tl.int64,
    row: tl.tensor,
    is_key: tl.tensor,
    head_dim: tl.constexpr,
    vectors: tl.constexpr,
    is_packed: tl.constexpr,
    is_masked: tl.constexpr,
) -> tl.tuple:
    """`_add_tile` where keys and values are kept as they are; `vectors` is how many a block holds of each."""
    element: tl.constexpr = queries[0].dtype
    side_bytes: tl.constexpr = vectors * head_dim * (element.primitive_bitwidth // 8)
    places = row[:, None] * head_dim + tl.arange(0, head_dim)[None, :]
    keys_at = tl.multiple_of(address.to(tl.pointer_type(element)), 16)
    values_at = tl.multiple_of((address + side_bytes).to(tl.pointer_type(element)), 16)
    keys = _load_tile(keys_at + places, is_key, is_masked)
    values = _load_tile(values_at + places, is_key, is_masked)
    weighted = tl.dot(queries[0], tl.trans(keys), input_precision="ieee") * factor[:, None]
    if is_masked:
        weighted = tl.where(is_visible, weighted, float("-inf"))
    new_reference = tl.maximum(reference, tl.max(weighted, 1))
    weights, shrink = _weigh(weighted, reference, new_reference, is_packed)
    total = total * shrink + tl.sum(weights, 1)
    shrunk = results[0] * shrink[:, None]
    return new_reference, total, (tl.dot(weights.to(element), values, shrunk, input_precision="ieee"),)


@jit
def _add_codes(
    queries: tl.tuple,
    factor: tl.tensor,
    is_visible: tl.tensor,
    reference: tl.tensor,
    total: tl.tensor,
    results: tl.tuple,
    address: tl.int64,
    row: tl.tensor,
    scale_row: tl.tensor,
    is_key: tl.tensor,
    kind: tl.constexpr,
    head_dim: tl.constexpr,
    vectors: tl.constexpr,
    block_tokens: tl.constexpr,
    is_packed: tl.constexpr,
    is_masked: tl.constexpr,
) -> tl.tuple:
    """`_add_tile` where keys and values are codes; `vectors` is how many a block holds of each."""
    groups: tl.constexpr = 2 if kind == "int4" else 1
    units: tl.constexpr = head_dim // (2 * groups)
    units_at = tl.multiple_of(address.to(tl.pointer_type(tl.int16)), 16)
    units_at += row[:, None] * units + tl.arange(0, units)[None, :]
    keys_at = tl.multiple_of((address + 4 * vectors * units).to(tl.pointer_type(tl.bfloat16)), 16) + scale_row
    values_at = keys_at + vectors * groups
    keys = _load_tile(units_at, is_key, is_masked)
    values = _load_tile(units_at + vectors * units, is_key, is_masked)
    key_scales = _load_scales(keys_at, is_key, is_masked)
    value_scales = _load_scales(values_at, is_key, is_masked)
    scores = _score(queries[0], queries[1], keys, 0, kind, is_packed) * (
        factor[:, None] * key_scales[None, :]
    )
    largest = value_scales
    if groups == 2:
        key_scales = _load_scales(keys_at + block_tokens, is_key, is_masked)
        high_value_scales = _load_scales(values_at + block_tokens, is_key, is_masked)
        largest = tl.maximum(value_scales, high_value_scales)
        high_scores = _score(queries[2], queries[3], keys, 2, kind, is_packed)
        scores += high_scores * (factor[:, None] * key_scales[None, :])
    weighted = scores + log2(largest, is_packed)[None, :]
    if is_masked:
        weighted = tl.where(is_visible, weighted, float("-inf"))
    new_reference = tl.maximum(reference, tl.max(weighted, 1) - _HEADROOM)
    weights, shrink = _weigh(weighted, reference, new_reference, is_packed)
    inverse = reciprocal(largest, is_packed)
    total = total * shrink + tl.sum(weights * inverse[None, :], 1)
    if groups == 2:
        low = (weights * (value_scales * inverse)[None, :]).to(tl.float16)
        high = (weights * (high_value_scales * inverse)[None, :]).to(tl.float16)
        added: tl.tuple = (
            _add_part(low, values, 0, results[0], shrink, kind, is_packed),
            _add_part(low, values, 1, results[1], shrink, kind, is_packed),
            _add_part(high, values, 2, results[2], shrink, kind, is_packed),
            _add_part(high, values, 3, results[3], shrink, kind, is_packed),
        )
    else:
        whole = weights.to(tl.float16)
        added = (
            _add_part(whole, values, 0, results[0], shrink, kind, is_packed),
            _add_part(whole, values, 1, results[1], shrink, kind, is_packed),
        )
    return new_reference, total, added


@jit
def _score(
    first: tl.tensor,
    second: tl.tensor,
    keys: tl.tensor,
    part: tl.constexpr,
    kind: tl.constexpr,
    is_packed: tl.constexpr,
) -> tl.tensor:
    """float32 (rows, keys) products of two parts of the queries with parts `part` and `part + 1` of the keys."""
    scores = tl.dot(first, tl.trans(decode_units(keys, part, kind, is_packed)))
    return tl.dot(second, tl.trans(decode_units(keys, part + 1, kind, is_packed)), scores)


@jit
def _add_part(
    weights: tl.tensor,
    values: tl.tensor,
    part: tl.constexpr,
    result: tl.tensor,
    shrink: tl.tensor,
    kind: tl.constexpr,
    is_packed: tl.constexpr,
) -> tl.tensor:
    """The shrunk result of one part of the channels, plus these values' share."""
    return tl.dot(weights, decode_units(values, part, kind, is_packed), result * shrink[:, None])


@jit
def _weigh(
    weighted: tl.tensor, reference: tl.tensor, new_reference: tl.tensor, is_packed: tl.constexpr
) -> tl.tuple:
    """2^(weighted - new_reference), and what earlier results shrink by; zeros where nothing was visible yet."""
    shift = tl.where(new_reference == float("-inf"), 0.0, new_reference)
    return exp2(weighted - shift[:, None], is_packed), exp2(reference - shift, is_packed)


@jit
def _load_tile(places: tl.tensor, is_key: tl.tensor, is_masked: tl.constexpr) -> tl.tensor:
    """(keys, channels); what lies behind the last key was never written and may be no number."""
    return tl.load(places, mask=is_key[:, None], other=0) if is_masked else tl.load(places)


@jit
def _load_scales(places: tl.tensor, is_key: tl.tensor, is_masked: tl.constexpr) -> tl.tensor:
    """float32 (keys,)."""
    scales = tl.load(places, mask=is_key, other=1.0) if is_masked else tl.load(places)
    return scales.to(tl.float32)
