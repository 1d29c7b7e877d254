"""The numbers that keys and values are stored as."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class KvType:
    """One type of numbers.

    Args:
        label: as a person names it.
        ggml_type: its number in ggml's enum.
        block_values: numbers that are stored together; a head must hold a multiple.
        block_bytes: that they take.
    """

    label: str
    ggml_type: int
    block_values: int
    block_bytes: int

    @property
    def is_quantised(self) -> bool:
        """Whether numbers share a scale, for which flash attention must be on."""
        return self.block_values > 1

    def size_bytes(self, values: int) -> int:
        """Bytes that so many numbers take."""
        return -(-values * self.block_bytes // self.block_values)


# Source: enum ggml_type and the block structures of ggml-common.h: 32 numbers and one 16-bit scale.
_TYPES = {
    kind.label: kind
    for kind in (
        KvType("f32", 0, 1, 4),
        KvType("16bit", 1, 1, 2),
        KvType("q8_0", 8, 32, 34),
        KvType("q4_0", 2, 32, 18),
    )
}


def choose_kv_type(wanted: str, precision: str, head_size: int) -> KvType:
    """The type for a model's cache.

    Args:
        wanted: `auto`, `f32`, `16bit`, `q8_0`, `q4_0`; `auto` is 16 bits, or 32 for weights in 32 bits.
        precision: of the weights.
        head_size: width of a key.

    Raises:
        BackendUnavailable: there is no such type, or this model's heads do not divide into its blocks.
    """
    label = ("f32" if precision == "F32" else "16bit") if wanted == "auto" else wanted
    kind = _TYPES.get(label)
    if kind is None:
        names = ", ".join(_TYPES)
        raise BackendUnavailable(backend="llama.cpp", reason=f"it has no KV cache “{label}”, only {names}")
    if head_size % kind.block_values:
        reason = f"heads of {head_size} numbers do not divide into the {kind.block_values} that {label} packs"
        raise BackendUnavailable(backend="llama.cpp", reason=reason)
    return kind
