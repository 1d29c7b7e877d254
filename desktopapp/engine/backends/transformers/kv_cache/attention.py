"""Attention over the cache, by the fastest way that the device has."""

from __future__ import annotations

import torch

from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_blockwise
from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer


def attend(query: torch.Tensor, layer: KvLayer, scale: float) -> torch.Tensor:
    """Causal attention of the newest tokens to everything in the layer.

    Args:
        query: (1, query_heads, n, head_dim) of the last n tokens that were appended to the layer.
        layer: holds their keys and values already.
        scale: of the scores.

    Returns:
        (1, n, query_heads, head_dim), in the query's type.
    """
    return attend_blockwise(query, layer, scale)
