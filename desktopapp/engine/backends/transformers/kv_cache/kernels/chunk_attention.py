"""Attention of a prompt's chunk on an NVIDIA GPU.

The library kernels (cuDNN, flash attention) are faster than ours on 16-bit numbers, so long chunks go through them:
runs of the past are decoded into a small buffer, never a layer, attended to, and merged by their log-sum-exps.
Short chunks, and cards without those kernels, take `attention_kernel`, which decodes in registers.
"""

from __future__ import annotations

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.backends.transformers.kv_cache.codec import rotate_query
from desktopapp.engine.backends.transformers.kv_cache.kernels.launch import (
    Tiles,
    attend_blocks,
    expand,
    row_splits,
)
from desktopapp.engine.backends.transformers.kv_cache.kernels.merge_kernels import merge_kernel
from desktopapp.engine.backends.transformers.kv_cache.library_attention import (
    attend_library,
    has_library_kernels,
)

# Tokens of the past that are decoded at once: 64 MiB at the 4B model's shape.
RUN_TOKENS = 16384
# From this many queries on, decoding to a buffer costs less than the faster kernels save.
LIBRARY_QUERIES = 256
MERGE_TILE_TOKENS = 16


def attend_chunk(query: torch.Tensor, layer: KvLayer, scale: float) -> torch.Tensor:
    """Causal attention of the newest tokens to everything in the layer.

    Args:
        query: (1, query_heads, n, head_dim) of the last n tokens that were appended.
        layer: holds their keys and values already.
        scale: of the scores.

    Returns:
        (1, n, query_heads, head_dim), in the query's type.
    """
    kv_format = layer.cache.layout.kv_format
    rows = (rotate_query(query) if kv_format.rotates_keys else query)[0]
    if rows.shape[1] >= LIBRARY_QUERIES and has_library_kernels(query):
        output = attend_runs(rows, layer, scale)
    else:
        layer.cache.past_on_device(layer.tokens - rows.shape[1])
        output = attend_blocks(rows, layer, scale, chunk_tiles(rows, layer)).transpose(0, 1)
    return (rotate_query(output) if kv_format.rotates_values else output).unsqueeze(0)


def chunk_tiles(rows: torch.Tensor, layer: KvLayer) -> Tiles:
    """How `attention_kernel` is cut for (heads, n, head_dim) rows."""
    packed = rows.shape[0] // layer.cache.layout.kv_heads * rows.shape[1]
    tile_rows = min(max(16, 1 << (packed - 1).bit_length()), 64)
    splits = row_splits(layer.cache, -(-packed // tile_rows))
    return Tiles(tile_rows, 64, warps=4, stages=2, splits=splits)


def attend_runs(
    query: torch.Tensor, layer: KvLayer, scale: float, run_tokens: int = RUN_TOKENS
) -> torch.Tensor:
    """Attention by library kernels over runs of decoded tokens.

    Args:
        query: (query_heads, n, head_dim), in the basis that the format keeps.
        layer: holds the queries' keys and values.
        scale: of the scores.
        run_tokens: longest run of the past.

    Returns:
        (n, query_heads, head_dim), in the same basis.
    """
    heads, count, head_dim = query.shape
    past, kv_heads = layer.tokens - count, layer.cache.layout.kv_heads
    runs = [(start, min(run_tokens, past - start)) for start in range(0, past, run_tokens)]
    buffer = torch.empty(
        2,
        kv_heads * max(count, *(size for _, size in runs), 0) * head_dim,
        dtype=query.dtype,
        device=query.device,
    )
    merged = torch.empty(count, heads, head_dim, dtype=torch.float32, device=query.device)
    sums = torch.empty(heads, count, dtype=torch.float32, device=query.device)
    for index, (start, size) in enumerate([*runs, (past, count)]):
        keys, values = (part[: kv_heads * size * head_dim].view(kv_heads, size, head_dim) for part in buffer)
        expand(layer, start, size, keys, values)
        output, new_sums = attend_library(query, keys, values, scale, is_causal=start == past)
        if not runs:
            return output.transpose(0, 1)
        merge_kernel[(-(-count // MERGE_TILE_TOKENS), heads)](
            merged,
            sums,
            output,
            new_sums,
            output.stride(0),
            output.stride(1),
            count,
            heads=heads,
            head_dim=head_dim,
            tile_tokens=MERGE_TILE_TOKENS,
            is_first=index == 0,
        )
    return merged.to(query.dtype)
