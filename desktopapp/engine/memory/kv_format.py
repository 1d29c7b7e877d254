"""Number formats of the transformers backend's KV cache and what they cost, without importing torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SCALE_BYTES = 2

GPU_BLOCK_TOKENS = 1024
CPU_BLOCK_TOKENS = 512
"""Tokens that the cache grows by."""


@dataclass(frozen=True, slots=True)
class KvFormat:
    """How one number of a key or value is kept.

    Args:
        name: as in settings and plans, `16bit`, `fp8_e4m3`, `fp8_e5m2`, `int8`, `int4`.
        code_bits: bits a number; None where numbers are kept as the model computes them.
        scale_groups: scales for each token, head, and key or value; each is `SCALE_BYTES` long.
        rotates_keys: keys are kept in a Hadamard-rotated basis, which spreads an outlying channel over all.
        rotates_values: so are values.
    """

    name: str
    code_bits: int | None
    scale_groups: int
    rotates_keys: bool = False
    rotates_values: bool = False

    @property
    def is_quantised(self) -> bool:
        """Whether numbers lose precision."""
        return self.code_bits is not None

    def vector_bytes(self, head_dim: int, element_bytes: int) -> int:
        """Bytes of the codes of one key or value.

        Args:
            head_dim: its channels.
            element_bytes: size of the numbers that the model computes with.
        """
        return head_dim * element_bytes if self.code_bits is None else head_dim * self.code_bits // 8

    def bytes_per_token(self, layers: int, kv_heads: int, head_dim: int, element_bytes: int) -> int:
        """Bytes that one token takes in all layers, exactly: keys, values and their scales."""
        vector = self.vector_bytes(head_dim, element_bytes) + self.scale_groups * SCALE_BYTES
        return 2 * layers * kv_heads * vector


KV_FORMATS: Mapping[str, KvFormat] = MappingProxyType(
    {
        kv_format.name: kv_format
        for kv_format in (
            KvFormat("16bit", None, 0),
            KvFormat("fp8_e4m3", 8, 1),
            KvFormat("fp8_e5m2", 8, 1),
            KvFormat("int8", 8, 1, rotates_keys=True),
            KvFormat("int4", 4, 2, rotates_keys=True, rotates_values=True),
        )
    }
)
