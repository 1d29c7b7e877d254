"""How attention is cut into programs for a card."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvCache


@dataclass(frozen=True, slots=True)
class Tiles:
    """How `attention_kernel` is cut.

    Args:
        rows: of a tile.
        keys: of a tile, divides the cache's block.
        warps: of a program.
        stages: tiles of keys under way at once.
        splits: programs that share a sequence, a power of two.
    """

    rows: int
    keys: int
    warps: int
    stages: int
    splits: int = 1


def step_tiles(cache: KvCache) -> Tiles:
    """How attention of one token is cut: small tiles, so that many programs hide each other's waiting.

    Measured on an H200 at 2K to 215K tokens; see docs/performance.md.
    """
    if cache.layout.kv_format.is_quantised:
        return Tiles(16, 32, warps=2, stages=4, splits=row_splits(cache, 1, 8))
    return Tiles(16, 64, warps=4, stages=3, splits=row_splits(cache, 1, 4))


def row_splits(cache: KvCache, row_tiles: int, programs: int = 4) -> int:
    """Programs that share a sequence: a power of two that gives each multiprocessor about `programs`."""
    if cache.device.type != "cuda":
        return 4
    processors = torch.cuda.get_device_properties(cache.device).multi_processor_count
    wanted = max(programs * processors // (cache.layout.kv_heads * row_tiles), 1)
    return min(1 << (wanted.bit_length() - 1), 128)
