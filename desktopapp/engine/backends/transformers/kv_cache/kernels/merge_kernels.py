"""Merges attention to parts of the keys by their log-sum-exps."""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit


@jit
def combine_kernel(
    partials: tl.tensor,
    sums: tl.tensor,
    output: tl.tensor,
    rows: tl.int32,
    head_stride: tl.int32,
    token_stride: tl.int32,
    count: tl.int32,
    splits: tl.constexpr,
    head_dim: tl.constexpr,
    tile_channels: tl.constexpr,
) -> None:
    """Merge what all splits of `attention_kernel` found for one row.

    Grid: (rows, head_dim / tile_channels).

    Args:
        partials: float32 (splits, heads, count, head_dim).
        sums: float32 (splits, heads, count).
        output: (heads, count, head_dim) with strides.
        rows: heads * count.
        head_stride: of the output, in elements.
        token_stride: of the output, in elements.
        count: queries.
        splits: a power of two.
        head_dim: channels.
        tile_channels: that one program merges.
    """
    row = tl.program_id(0)
    split = tl.arange(0, splits)
    channels = tl.program_id(1) * tile_channels + tl.arange(0, tile_channels)
    logsumexp = tl.load(sums + split * rows + row)
    weights = tl.exp(logsumexp - tl.max(logsumexp, 0))
    weights = weights / tl.sum(weights, 0)
    places = partials + (split.to(tl.int64) * rows + row)[:, None] * head_dim + channels[None, :]
    parts = tl.load(places, mask=(weights > 0.0)[:, None], other=0.0)
    merged = tl.sum(parts * weights[:, None], 0)
    target = output + (row // count).to(tl.int64) * head_stride + (row % count) * token_stride
    tl.store(target + channels, merged.to(output.dtype.element_ty))


@jit
def merge_kernel(
    merged: tl.tensor,
    merged_sums: tl.tensor,
    output: tl.tensor,
    sums: tl.tensor,
    head_stride: tl.int32,
    token_stride: tl.int32,
    count: tl.int32,
    heads: tl.constexpr,
    head_dim: tl.constexpr,
    tile_tokens: tl.constexpr,
    is_first: tl.constexpr,
) -> None:
    """Merge attention to further keys into a running result, in place.

    Grid: (token tiles, heads).

    Args:
        merged: float32 (count, heads, head_dim), contiguous.
        merged_sums: float32 (heads, count), their log-sum-exps.
        output: (heads, count, head_dim) with strides, to the further keys.
        sums: float32 (heads, count), theirs.
        head_stride: of `output`, in elements.
        token_stride: of `output`, in elements.
        count: queries.
        heads: query heads.
        head_dim: channels.
        tile_tokens: that one program merges.
        is_first: there is no running result yet.
    """
    token = tl.program_id(0) * tile_tokens + tl.arange(0, tile_tokens)
    head = tl.program_id(1)
    is_row = token < count
    mask = is_row[:, None]
    channels = tl.arange(0, head_dim)[None, :]
    result_at = merged + (token.to(tl.int64) * heads + head)[:, None] * head_dim + channels
    sums_at = head * count + token
    source = output + head.to(tl.int64) * head_stride + token.to(tl.int64)[:, None] * token_stride
    result = tl.load(source + channels, mask=mask, other=0.0).to(tl.float32)
    new_sums = tl.load(sums + sums_at, mask=is_row, other=0.0)
    if not is_first:
        old_sums = tl.load(merged_sums + sums_at, mask=is_row, other=0.0)
        largest = tl.maximum(old_sums, new_sums)
        old_weights, new_weights = tl.exp(old_sums - largest), tl.exp(new_sums - largest)
        total = old_weights + new_weights
        old = tl.load(result_at, mask=mask, other=0.0)
        result = old * (old_weights / total)[:, None] + result * (new_weights / total)[:, None]
        new_sums = largest + tl.log(total)
    tl.store(result_at, result, mask=mask)
    tl.store(merged_sums + sums_at, new_sums, mask=is_row)
