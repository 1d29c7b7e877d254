"""What a KV cache is made for."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.backends.llama_cpp.kv_type import KvType

CPU_BATCH_TOKENS = 512
GPU_BATCH_TOKENS = 2048
"""Tokens of one evaluation: large enough for speed, small enough for a prompt Stop and for memory."""


@dataclass(frozen=True, slots=True)
class CacheShape:
    """What one cell of the KV cache costs, how many there may be, and how much is evaluated at once.

    Args:
        cell_bytes: of keys and values of all layers for one token.
        most_cells: the model's limit, the person's, or the plan's.
        on_cpu: the cache lies in system memory.
        kind: of the numbers in it.
        batch_tokens: most tokens of one evaluation; the buffers of the graph grow with it.
    """

    cell_bytes: int
    most_cells: int
    on_cpu: bool
    kind: KvType
    batch_tokens: int

    def has_same_buffers(self, other: CacheShape) -> bool:
        """Whether a cache of one shape serves as the other, as far as its number of cells allows."""
        return (self.kind, self.on_cpu, self.batch_tokens) == (other.kind, other.on_cpu, other.batch_tokens)
