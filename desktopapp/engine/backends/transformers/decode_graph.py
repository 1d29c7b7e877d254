"""One decoded token as a captured CUDA graph: every launch of the forward pass replayed by one call."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional

from desktopapp.engine.backends.transformers.kernels.gemv import gemv
from desktopapp.engine.backends.transformers.kv_cache import KvCache, KvLayer
from desktopapp.engine.backends.transformers.kv_cache.kernels.launch import (
    attend_step,
    norm_rotate_append_step,
)
from desktopapp.engine.backends.transformers.text_weights import DenseMlp, LayerWeights, TextWeights


class DecodeGraph:
    """Evaluates one token after another over a cache.

    What changes from token to token (the token, its position, how many there are) is read from the device, so one
    graph serves until the cache itself is given up. It is captured when it is first needed.

    Args:
        weights: joined, without mixtures of experts, on an NVIDIA GPU.
        cache: of the same device.
        captures: replay a graph; else launch each time, as Triton's interpreter on the CPU needs it.
    """

    def __init__(self, weights: TextWeights, cache: KvCache, *, captures: bool = True) -> None:
        self._weights = weights
        self._cache = cache
        device, dtype = weights.embedding.device, weights.embedding.dtype
        self._token = torch.zeros(1, dtype=torch.long, device=device)
        self._position = torch.zeros(1, dtype=torch.long, device=device)
        self._logits = torch.empty(weights.head.shape[0], dtype=dtype, device=device)
        self._captures = captures
        # Hopper and later.
        overlaps = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (9, 0)
        self._multiply = partial(gemv, overlaps=overlaps)
        self._graph: torch.cuda.CUDAGraph | None = None

    @torch.inference_mode()
    def begin(self, position: int) -> None:
        """Go on from what the cache holds.

        Args:
            position: M-RoPE's, of the next token.
        """
        if self._captures and self._graph is None:
            self._graph = self._capture()
        self._position.fill_(position)
        self._cache.past_on_device(self._cache.tokens)

    @torch.inference_mode()
    def evaluate(self, token: torch.Tensor) -> torch.Tensor:
        """Add a token to the cache, without waiting for the device.

        Args:
            token: int64 (1,) on the device.

        Returns:
            (vocabulary,) logits behind it, overwritten by the next call.

        Raises:
            torch.OutOfMemoryError: the cache cannot grow; it is as it was.
        """
        self._cache.reserve(self._cache.tokens + 1)
        self._token.copy_(token)
        if self._graph is None:
            self._launch()
        else:
            self._graph.replay()
        self._cache.advance()
        return self._logits

    def _capture(self) -> torch.cuda.CUDAGraph:
        tokens = self._cache.tokens
        self._cache.reserve(tokens + 1)
        self._cache.past_on_device(tokens)
        # Once for real: kernels are compiled and loaded, which a capture does not allow. It writes behind the
        # last token only; the count that it leaves on the device is taken back.
        self._launch()
        self._cache.device_tokens.fill_(tokens)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._launch()
        return graph

    def _launch(self) -> None:
        weights, shape = self._weights, self._weights.shape
        hidden = functional.embedding(self._token, weights.embedding)[0]
        angles = self._position.float() * weights.frequencies
        # Text counts up in all three of M-RoPE's positions, so its sections do not matter here.
        cosine, sine = (
            (part * weights.rope_scale).to(hidden.dtype).repeat(2) for part in (angles.cos(), angles.sin())
        )
        for layer, layer_cache in zip(weights.layers, self._cache.layers, strict=True):
            self._attend(layer, layer_cache, hidden, cosine, sine)
            if isinstance(layer.mlp, DenseMlp):
                inner = torch.empty(layer.mlp.down.shape[1], dtype=hidden.dtype, device=hidden.device)
                epsilon = shape.norm_epsilon
                self._multiply(
                    layer.mlp.gate_up.joined, hidden, inner, norm=layer.mlp_norm, epsilon=epsilon, gated=True
                )
                self._multiply(layer.mlp.down, inner, hidden, adds=True)
        self._multiply(weights.head, hidden, self._logits, norm=weights.norm, epsilon=shape.norm_epsilon)
        self._position.add_(1)
        self._cache.device_tokens.add_(1)

    def _attend(
        self,
        layer: LayerWeights,
        layer_cache: KvLayer,
        hidden: torch.Tensor,
        cosine: torch.Tensor,
        sine: torch.Tensor,
    ) -> None:
        """Add attention's part to `hidden`."""
        shape = self._weights.shape
        weight = layer.qkv.joined
        projected = torch.empty(weight.shape[0], dtype=hidden.dtype, device=hidden.device)
        self._multiply(weight, hidden, projected, norm=layer.attention_norm, epsilon=shape.norm_epsilon)
        query = norm_rotate_append_step(
            layer_cache,
            projected.view(-1, shape.head_dim),
            layer.q_norm,
            layer.k_norm,
            shape.norm_epsilon,
            cosine,
            sine,
        )
        mixed = attend_step(query, layer_cache, shape.head_dim**-0.5, is_rotated=True)
        self._multiply(layer.out, mixed.view(-1), hidden, adds=True)
