"""Launches the kernels on a cache's layers.

Everything here runs in order on the current stream and reads lengths from the device, so that it can be captured in
a CUDA graph, but for `append`, which also counts on the host.
"""

from __future__ import annotations

import math

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.backends.transformers.kv_cache.codec import (
    LARGEST_CODE,
    rotate_query,
    rotate_stored,
    rotation_scale,
)
from desktopapp.engine.backends.transformers.kv_cache.kernels.attention_kernel import attention_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import runs_on_card
from desktopapp.engine.backends.transformers.kv_cache.kernels.merge_kernels import combine_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.step_kernel import step_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.storage_kernels import append_kernel
from desktopapp.engine.backends.transformers.kv_cache.kernels.tiles import Tiles, step_tiles

APPEND_TILE_TOKENS = 16
COMBINE_TILE_CHANNELS = 32


def append(layer: KvLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
    """`KvLayer.append` by a kernel."""
    cache, past = layer.cache, layer.tokens
    cache.reserve(past + keys.shape[2])
    cache.past_on_device(past)
    _launch_append(layer, keys[0], values[0])
    layer.tokens = past + keys.shape[2]


def append_step(layer: KvLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
    """Store one token behind the `device_tokens` that are there, without counting it.

    Args:
        layer: with room for it.
        keys: (kv_heads, head_dim), rotary embedding applied.
        values: like keys.
    """
    _launch_append(layer, keys.unsqueeze(1), values.unsqueeze(1))


def _launch_append(layer: KvLayer, keys: torch.Tensor, values: torch.Tensor) -> None:
    cache, layout = layer.cache, layer.cache.layout
    keys = rotate_stored(keys) if layout.kv_format.rotates_keys else keys
    values = rotate_stored(values) if layout.kv_format.rotates_values else values
    if keys.stride(-1) != 1 or values.stride(-1) != 1:
        keys, values = keys.contiguous(), values.contiguous()
    count = keys.shape[1]
    tile = min(APPEND_TILE_TOKENS, 1 << (count - 1).bit_length())
    append_kernel[(-(-count // tile), layout.kv_heads, 2)](
        keys,
        values,
        cache.block_table,
        cache.device_tokens,
        keys.stride(0),
        keys.stride(1),
        values.stride(0),
        values.stride(1),
        layer.index * layout.layer_bytes,
        count,
        kind=layout.kv_format.name,
        largest=LARGEST_CODE.get(layout.kv_format.name, 1.0),
        head_dim=layout.head_dim,
        kv_heads=layout.kv_heads,
        block_tokens=layout.tokens,
        tile_tokens=tile,
        num_warps=4 if tile > 1 else 1,
    )


def norm_rotate_append_step(
    layer: KvLayer,
    projected: torch.Tensor,
    query_weight: torch.Tensor,
    key_weight: torch.Tensor,
    epsilon: float,
    cosine: torch.Tensor,
    sine: torch.Tensor,
) -> torch.Tensor:
    """From the projections of one token to its queries; its keys and values go into the cache.

    RMS norm of each query and key head, rotary embedding, rotation where the format wants it, `append_step`.

    Args:
        layer: with room for one more token.
        projected: (query_heads + 2 * kv_heads, head_dim), contiguous: queries, keys, values.
        query_weight: (head_dim,) of the queries' norm.
        key_weight: (head_dim,) of the keys' norm.
        epsilon: of both norms.
        cosine: (head_dim,) of the rotary embedding, in the model's type.
        sine: (head_dim,).

    Returns:
        (query_heads, head_dim) for `attend_step` with `is_rotated=True`.
    """
    cache, layout = layer.cache, layer.cache.layout
    heads = projected.shape[0] - 2 * layout.kv_heads
    query = torch.empty(heads, layout.head_dim, dtype=projected.dtype, device=projected.device)
    step_kernel[(projected.shape[0],)](
        projected,
        query,
        query_weight,
        key_weight,
        cosine,
        sine,
        cache.block_table,
        cache.device_tokens,
        layer.index * layout.layer_bytes,
        epsilon,
        kind=layout.kv_format.name,
        largest=LARGEST_CODE.get(layout.kv_format.name, 1.0),
        rotates_keys=layout.kv_format.rotates_keys,
        rotates_values=layout.kv_format.rotates_values,
        query_scale=rotation_scale(layout.head_dim, is_query=True),
        stored_scale=rotation_scale(layout.head_dim, is_query=False),
        head_dim=layout.head_dim,
        kv_heads=layout.kv_heads,
        group=heads // layout.kv_heads,
        block_tokens=layout.tokens,
        num_warps=4 if layout.kv_format.rotates_keys else 1,
    )
    return query


def attend_step(
    query: torch.Tensor, layer: KvLayer, scale: float, *, is_rotated: bool = False, tiles: Tiles | None = None
) -> torch.Tensor:
    """Attention of one token to `device_tokens` tokens and itself.

    Args:
        query: (query_heads, head_dim).
        layer: holds the token's key and value behind `device_tokens` others.
        scale: of the scores.
        is_rotated: the query is already in the basis that the format keeps.
        tiles: how to cut; None takes the device's default.

    Returns:
        (query_heads, head_dim).
    """
    kv_format = layer.cache.layout.kv_format
    if kv_format.rotates_keys and not is_rotated:
        query = rotate_query(query)
    output = attend_blocks(query.unsqueeze(1), layer, scale, tiles or step_tiles(layer.cache))
    output = output.squeeze(1)
    return rotate_query(output) if kv_format.rotates_values else output


def attend_blocks(query: torch.Tensor, layer: KvLayer, scale: float, tiles: Tiles) -> torch.Tensor:
    """Attention by `attention_kernel` to `device_tokens` tokens and the queries' own, causal.

    Args:
        query: (query_heads, n, head_dim), in the basis that the format keeps.
        layer: holds the queries' keys and values.
        scale: of the scores.
        tiles: how to cut.

    Returns:
        (query_heads, n, head_dim), in the same basis.
    """
    heads, count, head_dim = query.shape
    kind = torch.float32 if tiles.splits > 1 else query.dtype
    parts = torch.empty(tiles.splits, heads, count, head_dim, dtype=kind, device=query.device)
    sums = torch.empty(tiles.splits, heads, count, dtype=torch.float32, device=query.device)
    launch_attention(query, layer, scale, tiles, parts, sums)
    if tiles.splits == 1:
        return parts[0]
    output = torch.empty_like(query, memory_format=torch.contiguous_format)
    combine_kernel[(heads * count, head_dim // COMBINE_TILE_CHANNELS)](
        parts,
        sums,
        output,
        heads * count,
        output.stride(0),
        output.stride(1),
        count,
        splits=tiles.splits,
        head_dim=head_dim,
        tile_channels=COMBINE_TILE_CHANNELS,
    )
    return output


def launch_attention(
    query: torch.Tensor,
    layer: KvLayer,
    scale: float,
    tiles: Tiles,
    parts: torch.Tensor,
    sums: torch.Tensor,
    first_key: int = 0,
) -> None:
    """Run `attention_kernel`; see there for shapes."""
    cache, layout = layer.cache, layer.cache.layout
    group = query.shape[0] // layout.kv_heads
    attention_kernel[(-(-query.shape[1] * group // tiles.rows), layout.kv_heads, tiles.splits)](
        query,
        parts,
        sums,
        cache.block_table,
        cache.device_tokens,
        query.stride(0),
        query.stride(1),
        layer.index * layout.layer_bytes,
        query.shape[1],
        first_key,
        scale * math.log2(math.e),
        kind=layout.kv_format.name,
        head_dim=layout.head_dim,
        kv_heads=layout.kv_heads,
        group=group,
        block_tokens=layout.tokens,
        tile_rows=tiles.rows,
        tile_keys=tiles.keys,
        is_packed=runs_on_card(query.device),
        num_warps=tiles.warps,
        num_stages=tiles.stages,
    )
