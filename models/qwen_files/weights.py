"""Writes safetensors files from NumPy arrays, bfloat16 included (NumPy itself has no such type)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatType = Literal["BF16", "F32"]

_ITEM_BYTES = {"BF16": 2, "F32": 4}
_ALIGNMENT_BYTES = 8


def bfloat16_bits(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round finite float32 values to bfloat16, ties to even.

    Args:
        values: any shape.

    Returns:
        The upper 16 bits, same shape.
    """
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded >> np.uint32(16)).astype(np.uint16)


def write_weights(file: Path, tensors: Mapping[str, NDArray[np.float32]], dtype: FloatType) -> None:
    """Write one safetensors file; the same tensors give the same bytes.

    Args:
        file: is replaced.
        tensors: by name, float32.
        dtype: as they are stored.

    Source: the format's description in the safetensors repository's README: header length (u64, little endian),
    JSON header padded with spaces, then the tensors' bytes.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in sorted(tensors.items()):
        end = offset + tensor.size * _ITEM_BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in sorted(tensors.items()):
            stored = bfloat16_bits(tensor).astype("<u2") if dtype == "BF16" else tensor.astype("<f4")
            out.write(stored.tobytes())
