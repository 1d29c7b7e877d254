"""The language model's weights as our own forward pass reads them: the library's tensors, some of them joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from desktopapp.engine.backends.transformers.quantised_matrix import Matrix, product
from desktopapp.engine.backends.transformers.weight_placing import WeightHome


@dataclass(frozen=True, slots=True)
class Projection:
    """Several linear maps of one input.

    Args:
        weights: (outputs of all, inputs) as one matrix, or one matrix for each map.
        sizes: outputs of each map.
    """

    weights: tuple[Matrix, ...]
    sizes: tuple[int, ...]

    def __call__(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Apply to (..., inputs); returns (..., size) for each map."""
        if len(self.weights) == len(self.sizes):
            return tuple(product(inputs, weight) for weight in self.weights)
        return torch.split(product(inputs, self.weights[0]), list(self.sizes), -1)

    @property
    def joined(self) -> Matrix:
        """The one matrix of all maps.

        Raises:
            ValueError: they were not joined.
        """
        if len(self.weights) != 1:
            raise ValueError("the weights are not joined")
        return self.weights[0]


@dataclass(frozen=True, slots=True)
class DenseMlp:
    """A SwiGLU block.

    Args:
        gate_up: the two maps into it.
        down: (hidden, feed-forward).
    """

    gate_up: Projection
    down: Matrix


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One decoder layer.

    Args:
        attention_norm: (hidden,) in front of attention.
        qkv: queries, keys and values.
        q_norm: (head_dim,).
        k_norm: (head_dim,).
        out: (hidden, heads x head_dim).
        mlp_norm: (hidden,) in front of the MLP.
        mlp: its weights, or the library's own module for a mixture of experts.
    """

    attention_norm: torch.Tensor
    qkv: Projection
    q_norm: torch.Tensor
    k_norm: torch.Tensor
    out: Matrix
    mlp_norm: torch.Tensor
    mlp: DenseMlp | Any


@dataclass(frozen=True, slots=True)
class TextShape:
    """Sizes that the forward pass needs.

    Args:
        heads: query heads.
        kv_heads: key and value heads.
        head_dim: channels of a head.
        norm_epsilon: of every RMS norm.
    """

    heads: int
    kv_heads: int
    head_dim: int
    norm_epsilon: float


@dataclass(frozen=True, slots=True)
class TextWeights:
    """The language model.

    Args:
        shape: its sizes.
        embedding: (vocabulary, hidden).
        layers: in order.
        norm: (hidden,) behind the last one.
        head: (vocabulary, hidden); may be the embedding.
        axes: int64 (head_dim / 2,), which of M-RoPE's positions (time, height, width) turns each pair of channels.
        frequencies: float32 (head_dim / 2,), radians a position.
        rope_scale: factor of sine and cosine.
    """

    shape: TextShape
    embedding: torch.Tensor
    layers: tuple[LayerWeights, ...]
    norm: torch.Tensor
    head: torch.Tensor
    axes: torch.Tensor
    frequencies: torch.Tensor
    rope_scale: float

    @property
    def is_dense(self) -> bool:
        """Whether no layer is a mixture of experts."""
        return all(isinstance(layer.mlp, DenseMlp) for layer in self.layers)


def read_text_weights(
    network: Any, home: WeightHome, placed: Callable[[float], None] = lambda share: None
) -> TextWeights:
    """Collect the weights of a Qwen3-VL network.

    Args:
        network: of transformers. Its own parameters move, or become views of the joined ones.
        home: where all of them go.
        placed: told about the share of the layers that are there.

    Raises:
        ValueError: a network that this forward pass does not describe.
    """
    text = network.model.language_model
    config = network.config.text_config
    if config.attention_bias or config.hidden_act != "silu":
        raise ValueError("its attention has biases, or its activation is not SiLU")
    shape = TextShape(
        int(config.num_attention_heads),
        int(config.num_key_value_heads),
        int(config.head_dim),
        float(config.rms_norm_eps),
    )
    layers = []
    with torch.no_grad():
        for layer in text.layers:
            layers.append(_read_layer(layer, home))
            placed(len(layers) / len(text.layers))
        home.place_rest(network)
    rotary = text.rotary_emb
    return TextWeights(
        shape=shape,
        embedding=text.embed_tokens.weight,
        layers=tuple(layers),
        norm=text.norm.weight,
        head=network.lm_head.weight,
        axes=mrope_axes(rotary.mrope_section, shape.head_dim // 2).to(home.device),
        frequencies=rotary.inv_freq.float().to(home.device),
        rope_scale=float(rotary.attention_scaling),
    )


def mrope_axes(sections: Sequence[int], pairs: int) -> torch.Tensor:
    """Which position turns each pair of channels under interleaved M-RoPE.

    Pairs take time, height, width in turn until height and width have their shares; the rest is time's.
    Source: Qwen3-VL technical report (2025), section 2; the shares are the config's `mrope_section`.

    Args:
        sections: pairs of time, height, width.
        pairs: half of the channels of a head.

    Returns:
        int64 (pairs,), values 0, 1, 2.
    """
    axes = torch.zeros(pairs, dtype=torch.long)
    for axis in (1, 2):
        axes[axis : 3 * sections[axis] : 3] = axis
    return axes


def _read_layer(layer: Any, home: WeightHome) -> LayerWeights:
    attention, mlp = layer.self_attn, layer.mlp
    weights = LayerWeights(
        attention_norm=layer.input_layernorm.weight,
        qkv=_project([attention.q_proj, attention.k_proj, attention.v_proj], home),
        q_norm=attention.q_norm.weight,
        k_norm=attention.k_norm.weight,
        out=home.matrix([attention.o_proj]),
        mlp_norm=layer.post_attention_layernorm.weight,
        mlp=_read_mlp(mlp, home) if is_dense(mlp) else mlp,
    )
    home.place_rest(layer)
    return weights


def is_dense(mlp: Any) -> bool:
    """Whether a layer's MLP is one for all tokens, no mixture of experts."""
    return hasattr(mlp, "down_proj") and hasattr(mlp, "gate_proj")


def _read_mlp(mlp: Any, home: WeightHome) -> DenseMlp:
    return DenseMlp(_project([mlp.gate_proj, mlp.up_proj], home), home.matrix([mlp.down_proj]))


def _project(modules: Sequence[Any], home: WeightHome) -> Projection:
    sizes = tuple(int(module.weight.shape[0]) for module in modules)
    if home.joins:
        return Projection((home.matrix(modules),), sizes)
    return Projection(tuple(home.matrix([module]) for module in modules), sizes)
