"""Attention over the cache, by the fastest way that the device has."""

from __future__ import annotations

import torch

from desktopapp.engine.backends.transformers.kv_cache.acceleration import has_kernels
from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_blockwise
from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.backends.transformers.kv_cache.library_attention import has_library_kernels


def attend(query: torch.Tensor, layer: KvLayer, scale: float) -> torch.Tensor:
    """Causal attention of the newest tokens to everything in the layer.

    Args:
        query: (1, query_heads, n, head_dim) of the last n tokens that were appended to the layer.
        layer: holds their keys and values already.
        scale: of the scores.

    Returns:
        (1, n, query_heads, head_dim), in the query's type.
    """
    # The kernels multiply in 16 bits: a model in 32 would lose what it is kept in 32 for. Before Ampere Triton knows no
    # tensor cores, and takes a minute to compile what it does without.
    if has_library_kernels(query) and has_kernels(query.device):
        from desktopapp.engine.backends.transformers.kv_cache.kernels.chunk_attention import attend_chunk

        return attend_chunk(query, layer, scale)
    return attend_blockwise(query, layer, scale)


def append(layer: KvLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
    """Add tokens behind those that are there.

    Args:
        layer: grows.
        keys: (1, kv_heads, n, head_dim), rotary embedding applied.
        values: like keys.
    """
    if has_kernels(keys.device):
        from desktopapp.engine.backends.transformers.kv_cache.kernels.launch import append as append_by_kernel

        append_by_kernel(layer, keys, values)
    else:
        layer.append(keys, values)
