"""Our own forward pass of the vision tower over the library's modules, bounded in memory.

The library's keeps float32 copies of queries and keys and the MLP's inner activations of all patches: 45 kB a patch
for the 4B model. Here queries and keys are turned in place, and the MLP runs over some patches at a time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from transformers.vision_utils import get_vision_interpolation_indices_and_weights, get_vision_position_ids

from desktopapp.engine.backends.transformers.text_ops import TextOps
from desktopapp.engine.backends.transformers.vision import VisualFeatures

# Patches in the MLP at once: enough to fill a GPU, 32 MiB of activations with the largest tower.
_MLP_PATCHES = 4096


class VisionTower:
    """Turns the patches of one picture, or one pair of frames, into features.

    Args:
        tower: the library's vision model.
        ops: for turning queries and keys.
    """

    def __init__(self, tower: Any, ops: TextOps) -> None:
        self._tower = tower
        self._ops = ops
        weight = tower.patch_embed.proj.weight
        # A convolution whose steps are as long as its kernel is a product, and far faster as one in bfloat16.
        self._patch_weight = weight.view(weight.shape[0], -1)
        self._deepstack = {layer: place for place, layer in enumerate(tower.deepstack_visual_indexes)}

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        dtype: torch.dtype = self._patch_weight.dtype
        return dtype

    @torch.inference_mode()
    def encode(self, patches: torch.Tensor, rows: int, columns: int) -> VisualFeatures:
        """Run the tower.

        Args:
            patches: (rows x columns, values), see `make_patches`.
            rows: of patches.
            columns: likewise.
        """
        tower = self._tower
        hidden = functional.linear(patches, self._patch_weight, tower.patch_embed.proj.bias)
        rope = self._add_places(hidden, rows, columns)
        deepstack: list[torch.Tensor] = []
        for layer, block in enumerate(tower.blocks):
            hidden += self._attend(block, hidden, rope)
            for piece in torch.split(hidden, _MLP_PATCHES):
                piece += block.mlp(block.norm2(piece))
            if layer in self._deepstack:
                deepstack.append(tower.deepstack_merger_list[self._deepstack[layer]](hidden))
        return VisualFeatures(tower.merger(hidden), tuple(deepstack))

    def _add_places(self, hidden: torch.Tensor, rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the learned embedding of each patch's place; returns cosine and sine of its turns."""
        tower = self._tower
        grid = torch.tensor([[1, rows, columns]], device=hidden.device)
        indices, weights = get_vision_interpolation_indices_and_weights(
            grid,
            num_grid_per_side=tower.num_grid_per_side,
            mode=tower.interpolation_mode,
            align_corners=tower.interpolation_align_corners,
            spatial_merge_size=tower.spatial_merge_size,
        )
        table = tower.pos_embed.weight
        learned = torch.zeros(hidden.shape, dtype=torch.float32, device=hidden.device)
        for corner in range(indices.shape[1]):
            learned += functional.embedding(indices[:, corner], table) * weights[:, corner, None]
        hidden += learned.to(hidden.dtype)
        places = get_vision_position_ids(grid, tower.spatial_merge_size)
        cosine, sine = tower.rotary_pos_emb(hidden, places)
        half = cosine.shape[-1] // 2
        return cosine[:, :half].float().contiguous(), sine[:, :half].float().contiguous()

    def _attend(
        self, block: Any, hidden: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        attention = block.attn
        qkv = attention.qkv(block.norm1(hidden)).unflatten(-1, (3, attention.num_heads, -1))
        for heads in (qkv[:, 0], qkv[:, 1]):
            self._ops.rope_in_place(heads, rope)
        query, key, value = (part.transpose(0, 1).unsqueeze(0) for part in qkv.unbind(1))
        mixed = functional.scaled_dot_product_attention(query, key, value, scale=attention.scaling)
        output: torch.Tensor = attention.proj(mixed[0].transpose(0, 1).flatten(1))
        return output
