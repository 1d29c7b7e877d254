"""Lets transformers' own model run over the cache, through the interfaces that it has for that.

The model hands keys and values to `Cache.update` and what comes back to the registered attention function:
here the layer itself, so nothing is dequantised or concatenated in between. No mask is built either; the attention
is causal by itself.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, Cache
from transformers.cache_utils import CacheLayerMixin
from transformers.masking_utils import AttentionMaskInterface

from desktopapp.engine.backends.transformers.kv_cache.attention import append, attend
from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache, KvLayer

ATTENTION_NAME = "qwen3vl_desktop_kv_cache"


class _LibraryLayer(CacheLayerMixin):  # type: ignore[misc]
    """What transformers sees of a layer."""

    is_croppable = True
    is_sliding = False

    def __init__(self, layer: KvLayer) -> None:
        super().__init__()
        self._layer = layer
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing to do: the cache knows its shape from the start."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[KvLayer, KvLayer]:
        append(self._layer, key_states, value_states)
        return self._layer, self._layer

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._layer.tokens + query_length, 0

    def get_seq_length(self) -> int:
        return self._layer.tokens

    def get_max_length(self) -> int:
        return self._layer.cache.max_tokens


def as_library_cache(cache: KvCache) -> Cache:
    """The cache as an argument `past_key_values` of a model whose text attention is `ATTENTION_NAME`.

    Cut, reset or refill the `KvCache` itself, not this view of it.
    """
    return Cache(layers=[_LibraryLayer(layer) for layer in cache.layers])


def register_attention() -> None:
    """Make `ATTENTION_NAME` known to transformers; load the model with it as its text part's implementation."""
    AttentionInterface.register(ATTENTION_NAME, _attend_library)
    AttentionMaskInterface.register(ATTENTION_NAME, _no_mask)


def _attend_library(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: KvLayer,
    value: KvLayer,
    attention_mask: torch.Tensor | None,
    scaling: float,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    return attend(query, key, scaling), None


def _no_mask(*args: Any, **options: Any) -> None:
    return None
