"""Attention of a prompt's chunk on an NVIDIA GPU.

The library kernels (cuDNN, flash attention) are faster than ours on 16-bit numbers, so long chunks go through them:
runs of the past are decoded into a small buffer, never a layer, attended to, and merged by their log-sum-exps.
Short chunks take `attention_kernel`, which decodes in registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional

from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache, KvLayer
from desktopapp.engine.backends.transformers.kv_cache.codec import rotate_query
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import runs_on_card
from desktopapp.engine.backends.transformers.kv_cache.kernels.launch import append, attend_blocks
from desktopapp.engine.backends.transformers.kv_cache.kernels.merge_kernels import merge_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.storage_kernels import expand_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.tiles import Tiles, row_splits
from desktopapp.engine.backends.transformers.kv_cache.library_attention import (
    attend_library,
    has_library_kernels,
)

# Runs of the past that are decoded at once; the longest takes 64 MiB at the 4B model's shape. cuDNN makes a plan for
# every pair of lengths, which takes about 50 ms, so it gets these runs alone, and chunks of whole `CUDNN_TOKENS`. The
# last chunk of a prompt is filled up to the usual length where no more than a third of that is missing.
RUN_TOKENS = (16384, 4096, 2048)
CUDNN_TOKENS = 1024
USUAL_TOKENS = 2048
# Up to this many queries our own kernel is faster.
SHORT_QUERIES = 256
EXPAND_TILE_TOKENS = 32
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
    if rows.shape[1] > SHORT_QUERIES and has_library_kernels(query):
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


def missing_tokens(count: int) -> int:
    """How many a chunk of `count` tokens is filled up with."""
    is_near = USUAL_TOKENS * 2 <= count * 3 < USUAL_TOKENS * 3
    return USUAL_TOKENS - count if is_near else 0


def divide_past(tokens: int, run_tokens: Sequence[int] = RUN_TOKENS) -> Iterator[tuple[int, int]]:
    """Runs (start, length) of the past: as many of each length as fit, longest first, and what is left."""
    start = 0
    for length in run_tokens:
        while tokens - start >= length:
            yield start, length
            start += length
    if start < tokens:
        yield start, tokens - start


def attend_runs(
    query: torch.Tensor, layer: KvLayer, scale: float, run_tokens: Sequence[int] = RUN_TOKENS
) -> torch.Tensor:
    """Attention by library kernels over runs of decoded tokens.

    Args:
        query: (query_heads, n, head_dim), in the basis that the format keeps.
        layer: holds the queries' keys and values.
        scale: of the scores.
        run_tokens: lengths of runs, longest first.

    Returns:
        (n, query_heads, head_dim), in the same basis.
    """
    heads, count, head_dim = query.shape
    past, kv_heads = layer.tokens - count, layer.cache.layout.kv_heads
    runs = [*divide_past(past, run_tokens), (past, count)]
    missing = missing_tokens(count) if past else 0
    query = _fill_up(query, missing)
    longest = kv_heads * max(size for _, size in runs) * head_dim
    buffer = torch.empty(2, longest, dtype=query.dtype, device=query.device)
    merged = torch.empty(count, heads, head_dim, dtype=torch.float32, device=query.device)
    sums = torch.empty(heads, count, dtype=torch.float32, device=query.device)
    for index, (start, size) in enumerate(runs):
        keys, values = (part[: kv_heads * size * head_dim].view(kv_heads, size, head_dim) for part in buffer)
        expand(layer, start, size, keys, values)
        is_causal = start == past
        if is_causal:
            # Behind the last token, where none of the chunk looks.
            keys, values = _fill_up(keys, missing), _fill_up(values, missing)
        uses_cudnn = query.shape[1] % CUDNN_TOKENS == 0 and (is_causal or size in run_tokens)
        output, new_sums = attend_library(
            query, keys, values, scale, is_causal=is_causal, uses_cudnn=uses_cudnn
        )
        if len(runs) == 1:
            return output.transpose(0, 1)
        new_sums = new_sums[:, :count].contiguous()
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


def _fill_up(heads: torch.Tensor, missing: int) -> torch.Tensor:
    """(heads, n, head_dim) with zeros behind the last token; itself where none are missing."""
    return functional.pad(heads, (0, 0, 0, missing)) if missing else heads


def expand(layer: KvLayer, first: int, count: int, keys: torch.Tensor, values: torch.Tensor) -> None:
    """Decode tokens of a layer, in the basis that the format keeps.

    Args:
        layer: holds them.
        first: token.
        count: of them.
        keys: (kv_heads, count, head_dim), contiguous; receives keys.
        values: like keys.
    """
    cache, layout = layer.cache, layer.cache.layout
    expand_kernel[(-(-count // EXPAND_TILE_TOKENS), layout.kv_heads, 2)](
        keys,
        values,
        cache.block_table,
        layer.index * layout.layer_bytes,
        first,
        count,
        kind=layout.kv_format.name,
        head_dim=layout.head_dim,
        kv_heads=layout.kv_heads,
        block_tokens=layout.tokens,
        tile_tokens=EXPAND_TILE_TOKENS,
        is_packed=runs_on_card(keys.device),
    )


def prepare_chunks(like: KvCache, query_heads: int, chunk_tokens: int) -> None:
    """Run one chunk over a past that has runs of all lengths: compiles kernels and makes cuDNN's plans.

    That takes seconds, which the first prompt then saves.

    Args:
        like: a cache as prompts will go to; stays as it is.
        query_heads: of a layer.
        chunk_tokens: of a whole chunk.
    """
    layout, past = like.layout, sum(RUN_TOKENS)
    shape = (1, layout.kv_heads, layout.head_dim, layout.kv_format.name, like.device, layout.dtype)
    layer = KvCache(*shape, max_tokens=past + chunk_tokens).layers[0]
    for tokens in (past, chunk_tokens):
        vectors = torch.zeros(
            1, layout.kv_heads, tokens, layout.head_dim, dtype=layout.dtype, device=like.device
        )
        append(layer, vectors, vectors)
    query = torch.zeros(1, query_heads, chunk_tokens, layout.head_dim, dtype=layout.dtype, device=like.device)
    attend_chunk(query, layer, 1.0)
