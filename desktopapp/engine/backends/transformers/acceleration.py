"""Which of the faster ways this machine can go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.backends.transformers.kv_cache.acceleration import has_kernels
from desktopapp.engine.backends.transformers.kv_cache.library_attention import has_library_kernels
from desktopapp.engine.backends.transformers.text_ops import TextOps, TorchOps
from desktopapp.engine.backends.transformers.text_weights import TextWeights

if TYPE_CHECKING:
    from desktopapp.engine.backends.transformers.decode_graph import DecodeGraph


def choose_ops(device: torch.device) -> TextOps:
    """The operations between matrix products, by the fastest way that the device has."""
    if not has_kernels(device):
        return TorchOps()
    from desktopapp.engine.backends.transformers.kernels.token_ops import TritonOps

    return TritonOps()


def make_graph(weights: TextWeights, cache: KvCache) -> DecodeGraph | None:
    """What decodes by a captured graph, or None where that cannot be: experts are chosen on the host."""
    # Kernels multiply keys and values in 16 bits: for a model in 32 that would lose what it is kept in 32 for.
    is_half = weights.embedding.dtype.itemsize == 2
    if not has_kernels(cache.device) or not weights.is_dense or not is_half:
        return None
    from desktopapp.engine.backends.transformers.decode_graph import DecodeGraph

    return DecodeGraph(weights, cache)


def prepare_prompts(cache: KvCache, query_heads: int, chunk_tokens: int) -> None:
    """Get ready what reads prompts over such a cache, where that takes time.

    Args:
        cache: stays as it is.
        query_heads: of a layer.
        chunk_tokens: prompt tokens that are usually evaluated at once.
    """
    like = torch.empty(0, dtype=cache.layout.dtype, device=cache.device)
    if has_library_kernels(like) and has_kernels(cache.device):
        from desktopapp.engine.backends.transformers.kv_cache.kernels.chunk_attention import prepare_chunks

        prepare_chunks(cache, query_heads, chunk_tokens)
