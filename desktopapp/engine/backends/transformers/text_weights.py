"""The language model's weights as our own forward pass reads them: the library's tensors, some of them joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Projection:
    """Several linear maps of one input.

    Args:
        weights: (outputs of all, inputs) as one tensor, or one tensor for each map.
        sizes: outputs of each map.
    """

    weights: tuple[torch.Tensor, ...]
    sizes: tuple[int, ...]

    def __call__(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Apply to (..., inputs); returns (..., size) for each map."""
        if len(self.weights) == len(self.sizes):
            return tuple(functional.linear(inputs, weight) for weight in self.weights)
        return torch.split(functional.linear(inputs, self.weights[0]), list(self.sizes), -1)

    @property
    def joined(self) -> torch.Tensor:
        """The one tensor of all maps.

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
    down: torch.Tensor


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
    out: torch.Tensor
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


def read_text_weights(network: Any, *, join: bool) -> TextWeights:
    """Collect the weights of a Qwen3-VL network.

    Args:
        network: of transformers. With `join` its own parameters become views of the joined ones, so no
            memory is added.
        join: make one tensor of weights that are applied to the same input. Weights mapped from a file are
            better left apart: joined they would have to be memory of this process.

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
    rotary = text.rotary_emb
    with torch.no_grad():
        layers = tuple(_read_layer(layer, join) for layer in text.layers)
    return TextWeights(
        shape=shape,
        embedding=text.embed_tokens.weight,
        layers=layers,
        norm=text.norm.weight,
        head=network.lm_head.weight,
        axes=mrope_axes(rotary.mrope_section, shape.head_dim // 2).to(text.embed_tokens.weight.device),
        frequencies=rotary.inv_freq.float().to(text.embed_tokens.weight.device),
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


def _read_layer(layer: Any, join: bool) -> LayerWeights:
    attention, mlp = layer.self_attn, layer.mlp
    dense = hasattr(mlp, "down_proj") and hasattr(mlp, "gate_proj")
    groups: list[list[Any]] = [[attention.q_proj, attention.k_proj, attention.v_proj], [attention.o_proj]]
    if dense:
        groups += [[mlp.gate_proj, mlp.up_proj], [mlp.down_proj]]
    qkv, out, *inner = _join_all(groups) if join else [_apart(group) for group in groups]
    return LayerWeights(
        attention_norm=layer.input_layernorm.weight,
        qkv=qkv,
        q_norm=attention.q_norm.weight,
        k_norm=attention.k_norm.weight,
        out=out.joined,
        mlp_norm=layer.post_attention_layernorm.weight,
        mlp=DenseMlp(inner[0], inner[1].joined) if dense else mlp,
    )


def _apart(modules: Sequence[Any]) -> Projection:
    return Projection(tuple(module.weight for module in modules), _outputs(modules))


def _join_all(groups: Sequence[Sequence[Any]]) -> list[Projection]:
    """Join the weights of each group, all of a layer's at once.

    All are copied, those alone in their group as well, before anything is given back: then the layer leaves one
    piece of free memory, which the next layer's copies fill. Joined one by one they would leave gaps between the
    matrices that stay, too small for the next layer's, a gigabyte in all for the 4B model.
    """
    joined = [torch.cat([module.weight for module in group]) for group in groups]
    for modules, whole in zip(groups, joined, strict=True):
        for module, part in zip(modules, torch.split(whole, list(_outputs(modules))), strict=True):
            module.weight.data = part
    return [Projection((whole,), _outputs(modules)) for modules, whole in zip(groups, joined, strict=True)]


def _outputs(modules: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(module.weight.shape[0]) for module in modules)
