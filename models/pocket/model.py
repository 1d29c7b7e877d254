"""Qwen3-VL for training: the published architecture, whole batches of pictures of one size at once.

Parameter names are those of transformers' `Qwen3VLForConditionalGeneration`, so a state dict loads there unchanged.
transformers' own forward is kept away from training because it attends picture by picture and adds DeepStack
features by boolean index; `tests/unit/models/test_pocket_model.py` holds both to the same logits.
Source of the architecture: transformers 5.23, `models/qwen3_vl/modeling_qwen3_vl.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.qwen_files.config import HEAD_DIM, MROPE_SECTION, RMS_NORM_EPSILON, ROPE_THETA, ModelShape
from models.qwen_files.processors import FRAMES_A_PATCH, MERGE_SIZE, PATCH_PX

_VISION_ROPE_THETA = 10_000.0
_LAYER_NORM_EPSILON = 1e-6
_CELL_PATCHES = MERGE_SIZE * MERGE_SIZE


@dataclass(frozen=True, slots=True)
class VisionOutput:
    """What the tower gives the language model.

    Args:
        tokens: (pictures, cells, hidden), the visual tokens.
        deepstack: one like `tokens` for each DeepStack layer.
    """

    tokens: Tensor
    deepstack: list[Tensor]


class PatchEmbed(nn.Module):
    """Projects the pixels of a pair of patches."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        patch = (FRAMES_A_PATCH, PATCH_PX, PATCH_PX)
        self.proj = nn.Conv3d(3, shape.vision_hidden, patch, stride=patch)


class VisionAttention(nn.Module):
    """The matrices of a tower layer's attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)


class VisionBlock(nn.Module):
    """One layer of the tower: attention inside each picture, then an MLP."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        width = shape.vision_hidden
        self.heads = shape.vision_heads
        self.norm1 = nn.LayerNorm(width, eps=_LAYER_NORM_EPSILON)
        self.norm2 = nn.LayerNorm(width, eps=_LAYER_NORM_EPSILON)
        self.attn = VisionAttention(width)
        self.mlp = nn.ModuleDict(
            {
                "linear_fc1": nn.Linear(width, shape.vision_feed_forward),
                "linear_fc2": nn.Linear(shape.vision_feed_forward, width),
            }
        )

    def queries_keys_values(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values: (pictures, heads, patches, head width)."""
        pictures, patches, width = x.shape
        qkv = self.attn.qkv(self.norm1(x)).view(pictures, patches, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        return _rotate(q, cos, sin), _rotate(k, cos, sin), v

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(pictures, patches, width) to the same."""
        q, k, v = self.queries_keys_values(x, cos, sin)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.attn.proj(mixed.transpose(1, 2).reshape(x.shape))
        inner = functional.gelu(self.mlp["linear_fc1"](self.norm2(x)), approximate="tanh")
        out: Tensor = x + self.mlp["linear_fc2"](inner)
        return out


class Merger(nn.Module):
    """Joins the 2x2 patches of a cell into one visual token."""

    def __init__(self, shape: ModelShape, *, norm_after_join: bool) -> None:
        super().__init__()
        joined = shape.vision_hidden * _CELL_PATCHES
        self.norm = nn.LayerNorm(joined if norm_after_join else shape.vision_hidden, eps=_LAYER_NORM_EPSILON)
        self.linear_fc1 = nn.Linear(joined, joined)
        self.linear_fc2 = nn.Linear(joined, shape.hidden)
        self.norm_after_join = norm_after_join

    def forward(self, x: Tensor) -> Tensor:
        """(pictures, patches, width) to (pictures, cells, hidden)."""
        pictures, patches, width = x.shape
        joined = (pictures, patches // _CELL_PATCHES, width * _CELL_PATCHES)
        x = self.norm(x.reshape(joined)) if self.norm_after_join else self.norm(x).reshape(joined)
        merged: Tensor = self.linear_fc2(functional.gelu(self.linear_fc1(x)))
        return merged


class VisionTower(nn.Module):
    """The vision transformer with its mergers."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embed = PatchEmbed(shape)
        self.pos_embed = nn.Embedding(shape.vision_positions, shape.vision_hidden)
        self.blocks = nn.ModuleList(VisionBlock(shape) for _ in range(shape.vision_layers))
        self.merger = Merger(shape, norm_after_join=False)
        self.deepstack_merger_list = nn.ModuleList(
            Merger(shape, norm_after_join=True) for _ in shape.deepstack_layers
        )

    @property
    def layers(self) -> list[VisionBlock]:
        """The blocks, typed."""
        return [cast(VisionBlock, block) for block in self.blocks]

    def embed(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Patches with their positions, and the rotary cosines and sines.

        Args:
            pictures: (pictures, 3, H, W) for stills or (pairs, 2, 3, H, W) for pairs of frames, -1..1; H and W are
                multiples of 32.
        """
        rows, columns = pictures.shape[-2] // PATCH_PX, pictures.shape[-1] // PATCH_PX
        projection = self.patch_embed.proj
        weight = projection.weight
        # A still is two equal frames: their weights add up.
        weight = weight.flatten(1) if pictures.dim() == 5 else weight.sum(2).flatten(1)
        x = functional.linear(_patches(pictures), weight, projection.bias)
        index, mix = _position_mix(rows, columns, self.shape.vision_positions, x.device)
        positions = (self.pos_embed(index) * mix[..., None]).sum(1)
        head_width = self.shape.vision_hidden // self.shape.vision_heads
        cos, sin = _vision_rotation(rows, columns, head_width, x.device)
        return x + positions.to(x.dtype), cos, sin

    def forward(self, pictures: Tensor) -> VisionOutput:
        """Encode pictures of one size; see `embed` for their shape."""
        x, cos, sin = self.embed(pictures)
        deepstack = []
        for layer, block in enumerate(self.blocks):
            x = block(x, cos, sin)
            if layer in self.shape.deepstack_layers:
                merger = self.deepstack_merger_list[self.shape.deepstack_layers.index(layer)]
                deepstack.append(merger(x))
        return VisionOutput(self.merger(x), deepstack)


class RmsNorm(nn.Module):
    """Root mean square norm, computed in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and dtype."""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + RMS_NORM_EPSILON)
        return (self.weight * wide).to(x.dtype)


class TextLayer(nn.Module):
    """One layer of the language model: grouped-query attention with normed queries and keys, then a gated MLP."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.heads, self.kv_heads = shape.heads, shape.kv_heads
        hidden, query, key = shape.hidden, shape.heads * HEAD_DIM, shape.kv_heads * HEAD_DIM
        self.input_layernorm = RmsNorm(hidden)
        self.post_attention_layernorm = RmsNorm(hidden)
        self.self_attn = nn.ModuleDict(
            {
                "q_proj": nn.Linear(hidden, query, bias=False),
                "k_proj": nn.Linear(hidden, key, bias=False),
                "v_proj": nn.Linear(hidden, key, bias=False),
                "o_proj": nn.Linear(query, hidden, bias=False),
                "q_norm": RmsNorm(HEAD_DIM),
                "k_norm": RmsNorm(HEAD_DIM),
            }
        )
        self.mlp = nn.ModuleDict(
            {
                "gate_proj": nn.Linear(hidden, shape.feed_forward, bias=False),
                "up_proj": nn.Linear(hidden, shape.feed_forward, bias=False),
                "down_proj": nn.Linear(shape.feed_forward, hidden, bias=False),
            }
        )

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(batch, tokens, hidden) to the same; causal."""
        batch, tokens, _ = x.shape
        inner = self.input_layernorm(x)
        attention = self.self_attn
        q = attention["q_norm"](attention["q_proj"](inner).view(batch, tokens, self.heads, HEAD_DIM))
        k = attention["k_norm"](attention["k_proj"](inner).view(batch, tokens, self.kv_heads, HEAD_DIM))
        v = attention["v_proj"](inner).view(batch, tokens, self.kv_heads, HEAD_DIM)
        q, k = _rotate(q.transpose(1, 2), cos, sin), _rotate(k.transpose(1, 2), cos, sin)
        mixed = functional.scaled_dot_product_attention(
            q, k, v.transpose(1, 2), is_causal=True, enable_gqa=True
        )
        x = x + attention["o_proj"](mixed.transpose(1, 2).reshape(batch, tokens, -1))
        inner = self.post_attention_layernorm(x)
        gated = functional.silu(self.mlp["gate_proj"](inner)) * self.mlp["up_proj"](inner)
        out: Tensor = x + self.mlp["down_proj"](gated)
        return out


class LanguageModel(nn.Module):
    """The decoder; its output matrix is the token embedding."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(TextLayer(shape) for _ in range(shape.layers))
        self.norm = RmsNorm(shape.hidden)

    def forward(
        self, ids: Tensor, positions: Tensor, seen: VisionOutput | None, seen_at: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Hidden states.

        Args:
            ids: (batch, tokens) int64.
            positions: (3, tokens) int64: time, row, column of each token, the same for the whole batch.
            seen: visual tokens (batch, cells of all pictures, hidden), or None for text alone.
            seen_at: (cells,) int64, where they stand in the sequence.

        Returns:
            The last hidden states after the final norm, and those after the third layer: (batch, tokens, hidden).
        """
        x = self.embed_tokens(ids)
        cos, sin = text_rotation(positions)
        if seen is not None and seen_at is not None:
            x = x.to(seen.tokens.dtype).index_copy(1, seen_at, seen.tokens)
        middle = x
        for index, layer in enumerate(self.layers):
            x = layer(x, cos, sin)
            if seen is not None and seen_at is not None and index < len(seen.deepstack):
                x = x.index_add(1, seen_at, seen.deepstack[index].to(x.dtype))
            if index == 2:
                middle = x
        return self.norm(x), middle


class PocketModel(nn.Module):
    """The whole model. `state_dict()` has transformers' names."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = nn.ModuleDict({"visual": VisionTower(shape), "language_model": LanguageModel(shape)})

    @property
    def visual(self) -> VisionTower:
        """The vision tower."""
        return cast(VisionTower, self.model["visual"])

    @property
    def language(self) -> LanguageModel:
        """The language model."""
        return cast(LanguageModel, self.model["language_model"])

    def logits(self, hidden: Tensor) -> Tensor:
        """(..., hidden) to (..., vocabulary)."""
        return functional.linear(hidden, self.language.embed_tokens.weight)

    def initialise(self, seed: int) -> None:
        """Draw the weights: normal with a deviation of 0.02 to 1/sqrt(inputs), residual outputs smaller."""
        generator = torch.Generator().manual_seed(seed)
        depth = {"visual": self.shape.vision_layers, "language_model": self.shape.layers}
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() == 1:
                    parameter.fill_(0.0 if name.endswith("bias") else 1.0)
                    continue
                inputs = parameter[0].numel()
                std = 0.02 if "embed" in name and "proj" not in name else inputs**-0.5
                if name.endswith(("attn.proj.weight", "blocks", "o_proj.weight", "down_proj.weight")) or (
                    "blocks" in name and name.endswith("linear_fc2.weight")
                ):
                    std /= (2 * depth[name.split(".")[1]]) ** 0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)


def _patches(pictures: Tensor) -> Tensor:
    """Cut into patches, cell after cell: (pictures, patches, channels x frames x 16 x 16)."""
    if pictures.dim() == 4:
        pictures = pictures[:, None]
    count, frames, channels, height, width = pictures.shape
    rows, columns = height // (PATCH_PX * MERGE_SIZE), width // (PATCH_PX * MERGE_SIZE)
    cut = pictures.view(count, frames, channels, rows, MERGE_SIZE, PATCH_PX, columns, MERGE_SIZE, PATCH_PX)
    cut = cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return cut.reshape(count, rows * columns * _CELL_PATCHES, channels * frames * PATCH_PX**2)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of (batch, heads, tokens, head width), in float32."""
    wide = x.float()
    first, second = wide.chunk(2, dim=-1)
    return (wide * cos + torch.cat((-second, first), dim=-1) * sin).to(x.dtype)


def _cell_order(grid: Tensor) -> Tensor:
    """Flatten (rows, columns) of patches cell after cell."""
    rows, columns = grid.shape
    blocks = grid.view(rows // MERGE_SIZE, MERGE_SIZE, columns // MERGE_SIZE, MERGE_SIZE)
    return blocks.transpose(1, 2).flatten()


@lru_cache(maxsize=2048)
def _position_mix(rows: int, columns: int, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which four learned positions each patch mixes, and how: (patches, 4) int64 and float32."""
    side = int(count**0.5)
    y, x = torch.linspace(0, side - 1, rows), torch.linspace(0, side - 1, columns)
    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=side - 1), (x0 + 1).clamp(max=side - 1)
    dy, dx = y - y0, x - x0
    index, mix = [], []
    for row, row_mix in ((y0, 1 - dy), (y1, dy)):
        for column, column_mix in ((x0, 1 - dx), (x1, dx)):
            index.append(_cell_order(row[:, None] * side + column[None]))
            mix.append(_cell_order(row_mix[:, None] * column_mix[None]))
    return torch.stack(index, 1).to(device), torch.stack(mix, 1).to(device)


@lru_cache(maxsize=2048)
def _vision_rotation(rows: int, columns: int, head_width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines by row and column: (patches, head width) float32."""
    half = head_width // 2
    frequency = _VISION_ROPE_THETA ** -(torch.arange(0, half, 2, dtype=torch.float32) / half)
    row = _cell_order(torch.arange(rows)[:, None].expand(rows, columns).contiguous())
    column = _cell_order(torch.arange(columns)[None].expand(rows, columns).contiguous())
    angle = torch.cat((row[:, None] * frequency, column[:, None] * frequency), -1)
    angle = torch.cat((angle, angle), -1)
    return angle.cos().to(device), angle.sin().to(device)


def text_rotation(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Interleaved M-RoPE: cosines and sines (tokens, 128) float32 of (3, tokens) positions."""
    inverse = ROPE_THETA ** -(
        torch.arange(0, HEAD_DIM, 2, dtype=torch.float32, device=positions.device) / HEAD_DIM
    )
    angle = positions[..., None].float() * inverse
    mixed = angle[0].clone()
    for axis in (1, 2):
        end = MROPE_SECTION[axis] * 3
        mixed[:, axis:end:3] = angle[axis][:, axis:end:3]
    mixed = torch.cat((mixed, mixed), -1)
    return mixed.cos(), mixed.sin()
