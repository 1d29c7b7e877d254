"""Our own forward pass of the language model over the library's weights.

Beside the library's it joins matrix products, keeps keys and values in the quantised cache alone, adds DeepStack's
features by slices, and computes the last layer for the last token only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional

from desktopapp.engine.backends.transformers.quantised_matrix import product
from desktopapp.engine.backends.transformers.text_ops import TextOps
from desktopapp.engine.backends.transformers.text_weights import DenseMlp, LayerWeights, TextWeights
from desktopapp.engine.backends.transformers.vision import VisualFeatures


class TextCache(Protocol):
    """Keys and values of the tokens so far."""

    def append(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Store (tokens, kv_heads, head_dim) of the tokens under evaluation."""
        ...

    def attend(self, layer: int, queries: torch.Tensor) -> torch.Tensor:
        """Causal attention of the last tokens.

        Args:
            layer: whose keys and values, those of the queries' own tokens included.
            queries: (tokens, heads, head_dim) of the last tokens.

        Returns:
            the same shape.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlacedFeatures:
    """Features of visual tokens that stand together.

    Args:
        start: their place among the tokens under evaluation.
        features: as many as there are such tokens.
    """

    start: int
    features: VisualFeatures


class TextDecoder:
    """Evaluates tokens.

    Args:
        weights: of the model.
        ops: the operations between the products.
    """

    def __init__(self, weights: TextWeights, ops: TextOps) -> None:
        self.weights = weights
        self._ops = ops

    @torch.inference_mode()
    def evaluate(
        self,
        token_ids: torch.Tensor,
        positions: torch.Tensor,
        cache: TextCache,
        placed: Sequence[PlacedFeatures] = (),
    ) -> torch.Tensor:
        """Add tokens to the cache.

        Args:
            token_ids: int64 (tokens,) on the model's device.
            positions: int64 (3, tokens): time, height, width; likewise.
            cache: receives keys and values.
            placed: what stands in place of visual tokens.

        Returns:
            (vocabulary,) logits behind the last token.
        """
        hidden = functional.embedding(token_ids, self.weights.embedding)
        for part in placed:
            hidden[part.start : part.start + len(part.features.merged)] = part.features.merged
        rope = self.rope(positions)
        last = len(self.weights.layers) - 1
        for index, layer in enumerate(self.weights.layers):
            hidden = self._run_layer(index, layer, hidden, rope, cache, only_last=index == last)
            for part in placed:
                if index < len(part.features.deepstack) and index != last:
                    features = part.features.deepstack[index]
                    hidden[part.start : part.start + len(features)] += features
        return self.logits(hidden)

    def rope(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosine and sine of each token's turns: float32 (tokens, head_dim / 2), contiguous.

        Args:
            positions: int64 (3, tokens).
        """
        weights = self.weights
        # Contiguous, as kernels read it: a product keeps the strides of its transposed factor.
        angles = positions.index_select(0, weights.axes).T.contiguous().float() * weights.frequencies
        return angles.cos() * weights.rope_scale, angles.sin() * weights.rope_scale

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(vocabulary,) logits of the last of (tokens, hidden)."""
        weights = self.weights
        normed = self._ops.rms_norm(hidden[-1:], weights.norm, weights.shape.norm_epsilon)
        return functional.linear(normed, weights.head)[0]

    def _run_layer(
        self,
        index: int,
        layer: LayerWeights,
        hidden: torch.Tensor,
        rope: tuple[torch.Tensor, torch.Tensor],
        cache: TextCache,
        *,
        only_last: bool,
    ) -> torch.Tensor:
        ops, shape = self._ops, self.weights.shape
        normed = ops.rms_norm(hidden, layer.attention_norm, shape.norm_epsilon)
        queries, keys, values = (part.view(len(normed), -1, shape.head_dim) for part in layer.qkv(normed))
        del normed
        cache.append(index, ops.norm_rope(keys, layer.k_norm, shape.norm_epsilon, rope), values)
        if only_last:
            # What the others become behind their keys and values is read by nobody.
            hidden, queries, rope = hidden[-1:], queries[-1:], (rope[0][-1:], rope[1][-1:])
        queries = ops.norm_rope(queries, layer.q_norm, shape.norm_epsilon, rope)
        del keys, values
        mixed = product(cache.attend(index, queries).flatten(1), layer.out)
        del queries
        normed = ops.add_rms_norm(hidden, mixed, layer.mlp_norm, shape.norm_epsilon)
        del mixed
        return hidden.add_(self._run_mlp(layer, normed))

    def _run_mlp(self, layer: LayerWeights, normed: torch.Tensor) -> torch.Tensor:
        if isinstance(layer.mlp, DenseMlp):
            return product(self._ops.swiglu(*layer.mlp.gate_up(normed)), layer.mlp.down)
        output: torch.Tensor = layer.mlp(normed.unsqueeze(0))[0]
        return output
