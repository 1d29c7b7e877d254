"""Everything between the projections of one decoded token and attention, in one launch."""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit
from desktopapp.engine.backends.transformers.kv_cache.kernels.storage_kernels import store_vectors


@jit
def step_kernel(
    projected: tl.tensor,
    query: tl.tensor,
    query_weight: tl.tensor,
    key_weight: tl.tensor,
    cosine: tl.tensor,
    sine: tl.tensor,
    block_table: tl.tensor,
    past_tokens: tl.tensor,
    layer_offset: tl.int64,
    epsilon: tl.float32,
    kind: tl.constexpr,
    largest: tl.constexpr,
    rotates_keys: tl.constexpr,
    rotates_values: tl.constexpr,
    query_scale: tl.constexpr,
    stored_scale: tl.constexpr,
    head_dim: tl.constexpr,
    kv_heads: tl.constexpr,
    group: tl.constexpr,
    block_tokens: tl.constexpr,
) -> None:
    """RMS norm and rotary embedding of one token's heads; queries go out, keys and values into the cache.

    Rounds where transformers' own layers round, so that both give the same tokens.

    Grid: (query heads + 2 * kv_heads,).

    Args:
        projected: (query heads + 2 * kv_heads, head_dim): queries, keys, values.
        query: (query heads, head_dim), receives queries, rotated where the format is.
        query_weight: (head_dim,) of the norm.
        key_weight: (head_dim,) of the norm.
        cosine: (head_dim,) of the rotary embedding at this position.
        sine: (head_dim,).
        block_table: int64 addresses of blocks.
        past_tokens: int32 (1,), tokens before this one.
        layer_offset: bytes from a block's start to the layer's part.
        epsilon: of the norms.
        kind: the cache's format.
        largest: see `codec.LARGEST_CODE`.
        rotates_keys: see `KvFormat`.
        rotates_values: see `KvFormat`.
        query_scale: of the rotation, see `codec.rotation_scale`.
        stored_scale: likewise for keys and values.
        head_dim: channels.
        kv_heads: of the layer.
        group: query heads of a key head.
        block_tokens: of the cache.
    """
    head = tl.program_id(0)
    heads: tl.constexpr = kv_heads * group
    half: tl.constexpr = head_dim // 2
    channels = tl.arange(0, head_dim)
    source = projected + head * head_dim
    vector = tl.load(source + channels)
    element: tl.constexpr = projected.dtype.element_ty
    if head < heads + kv_heads:
        weights = query_weight
        if head >= heads:
            weights = key_weight
        partners = (channels + half) % head_dim
        numbers = vector.to(tl.float32)
        mean = tl.sum(numbers * numbers, 0) / head_dim
        inverse = 1.0 / tl.sqrt_rn(mean + epsilon)
        own = (numbers * inverse).to(element) * tl.load(weights + channels)
        partner = (tl.load(source + partners).to(tl.float32) * inverse).to(element) * tl.load(
            weights + partners
        )
        partner = tl.where(channels < half, -partner, partner)
        vector = own * tl.load(cosine + channels) + partner * tl.load(sine + channels)
    if rotates_keys:
        scale = tl.where(head < heads, query_scale, stored_scale)
        if head < heads + kv_heads:
            vector = (_hadamard(vector.to(tl.float32), head_dim) * scale).to(element)
    if rotates_values:
        is_value = head >= heads + kv_heads
        if is_value:
            vector = (_hadamard(vector.to(tl.float32), head_dim) * stored_scale).to(element)
    if head < heads:
        tl.store(query + head * head_dim + channels, vector)
    else:
        side = (head - heads) // kv_heads
        position = tl.load(past_tokens) + tl.zeros((1,), tl.int32)
        store_vectors(
            vector[None, :], position, position >= 0, side, (head - heads) % kv_heads, block_table, layer_offset,
            kind, largest, head_dim, kv_heads, block_tokens, 1,
        )  # fmt: skip


@jit
def _hadamard(vector: tl.tensor, head_dim: tl.constexpr) -> tl.tensor:
    """H times a vector, H the Hadamard matrix of +1 and -1, as the Kronecker product of two smaller ones."""
    outer: tl.constexpr = head_dim // 16
    row, column = tl.arange(0, outer), tl.arange(0, 16)
    parts = tl.reshape(vector, (1, outer, 16))
    half_done = tl.sum(parts * _signs(row[:, None] & row[None, :])[:, :, None], 1)
    done = tl.sum(half_done[:, :, None] * _signs(column[:, None] & column[None, :])[None, :, :], 1)
    return tl.reshape(done, (head_dim,))


@jit
def _signs(common: tl.tensor) -> tl.tensor:
    """-1 where an odd number of the lowest eight bits are set, else 1: entries of Sylvester's Hadamard matrix."""
    folded = common ^ (common >> 4)
    folded = folded ^ (folded >> 2)
    folded = folded ^ (folded >> 1)
    return 1.0 - 2.0 * (folded & 1).to(tl.float32)
