"""Weights in the precisions of GGUF files, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from desktopapp.errors import ModelUnsupported
from desktopapp.modelstore.gguf_export.source import StoredTensor

_BLOCK_ELEMENTS = 4 << 20
_Q8_0_BLOCK = 32


@dataclass(frozen=True, slots=True)
class TensorToWrite:
    """One tensor of a GGUF file.

    Args:
        name: in the file.
        source: where its values come from.
        precision: `F32`, `F16`, `BF16`, `Q8_0`.
    """

    name: str
    source: StoredTensor
    precision: str

    @property
    def type(self) -> gguf.GGMLQuantizationType:
        """The precision as the `gguf` package names it."""
        return gguf.GGMLQuantizationType[self.precision]

    @property
    def size_bytes(self) -> int:
        """Of its data in the file, without padding."""
        block_elements, block_bytes = gguf.GGML_QUANT_SIZES[self.type]
        return int(self.source.array.size // block_elements * block_bytes)


def choose_precision(source: StoredTensor, wanted: str) -> str:
    """The wanted precision, or `F16` where rows do not divide into the blocks of `Q8_0`."""
    if wanted == "Q8_0" and source.shape[-1] % _Q8_0_BLOCK:
        return "F16"
    return wanted


def encode(tensor: TensorToWrite, model_name: str) -> NDArray[np.uint8]:
    """The bytes of a tensor as the file stores them.

    Besides the result, only one block of rows is held in memory.

    Raises:
        ModelUnsupported: a value is too large for the precision.
    """
    encoded = np.empty(tensor.size_bytes, np.uint8)
    done = 0
    for block in _blocks(tensor.source):
        data = _encode_block(block, tensor, model_name)
        encoded[done : done + data.size] = data
        done += data.size
    return encoded


def _blocks(source: StoredTensor) -> Iterator[NDArray[np.float32]]:
    array = source.array
    rows = max(1, _BLOCK_ELEMENTS // max(1, array.size // array.shape[0]))
    for start in range(0, array.shape[0], rows):
        yield _to_float32(np.ascontiguousarray(array[start : start + rows]), source.is_bfloat16)


def _to_float32(block: NDArray[Any], is_bfloat16: bool) -> NDArray[np.float32]:
    if is_bfloat16:
        # A bfloat16 is the upper half of a float32.
        return (block.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return block.astype(np.float32)


def _encode_block(block: NDArray[np.float32], tensor: TensorToWrite, model_name: str) -> NDArray[np.uint8]:
    if tensor.precision == "F32":
        stored: NDArray[Any] = block
    elif tensor.precision == "F16":
        with np.errstate(over="ignore"):
            stored = block.astype(np.float16)
        if not np.isfinite(stored).all() and np.isfinite(block).all():
            raise ModelUnsupported(name=model_name, reason=f"“{tensor.name}” does not fit into F16")
    else:
        stored = gguf.quants.quantize(block, tensor.type)
    return stored.reshape(-1).view(np.uint8)
