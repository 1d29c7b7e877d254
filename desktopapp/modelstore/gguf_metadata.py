"""Read the header of a GGUF file: key/value pairs and the list of tensors, no tensor data.

Light (standard library only) and safe with hostile files: every length is checked against what is left of
the file before it is read, so a damaged file costs no memory and never reaches llama.cpp, which may end the
process over it.

Source of the layout: the GGUF specification in ggml's `docs/gguf.md`, versions 2 and 3, little endian.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeAlias

from desktopapp.errors import ModelDamaged, ModelNotFound
from desktopapp.modelstore.gguf_types import FILE_TYPES, TENSOR_TYPES

LONGEST_KEPT_ARRAY = 1024
_MOST_PAIRS = 1 << 16
_MOST_TENSORS = 1 << 18
_MOST_STRING_BYTES = 64 << 20
_MOST_TENSOR_NAME_BYTES = 63
_MOST_DIMENSIONS = 4
_DEFAULT_ALIGNMENT = 32
_BLOCK_BYTES = 1 << 20
_STRING_TYPE = 8
_ARRAY_TYPE = 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32 = _SCALARS[4]
_U64 = _SCALARS[10]

Scalar: TypeAlias = int | float | bool | str


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array of more than `LONGEST_KEPT_ARRAY` items (a vocabulary, merges), of which only the length is kept."""

    length: int


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of a GGUF file.

    Args:
        name: as in the file.
        shape: elements along each axis, the fastest-changing axis first (the reverse of numpy's order).
        type_name: `F32`, `F16`, `BF16`, `Q8_0`, `Q4_K`, ...
        offset: of its first byte from the beginning of the file.
        size_bytes: of its data.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What stands before a GGUF file's tensor data.

    Args:
        version: of the format, 2 or 3.
        metadata: key/value pairs; arrays are tuples, long ones `LongArray`.
        tensors: in the file's order.
        file_bytes: size of the file.
    """

    version: int
    metadata: dict[str, object]
    tensors: tuple[GgufTensor, ...]
    file_bytes: int

    @property
    def architecture(self) -> str:
        """`general.architecture`: `qwen3vl`, `qwen3vlmoe`, `clip` for an mmproj; empty when absent."""
        return self.text("general.architecture")

    @property
    def precision(self) -> str:
        """Precision of the weights, as `Q4_K_M`: the declared file type, else the type that holds most bytes."""
        declared = FILE_TYPES.get(self.integer("general.file_type", -1))
        if declared:
            return declared
        totals: dict[str, int] = {}
        for tensor in self.tensors:
            totals[tensor.type_name] = totals.get(tensor.type_name, 0) + tensor.size_bytes
        return max(totals, key=lambda name: totals[name], default="")

    def text(self, key: str, default: str = "") -> str:
        """A string value, or the default where it is absent or of another type."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else default

    def integer(self, key: str, default: int = 0) -> int:
        """An integer value, or the default where it is absent or of another type."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def flag(self, key: str) -> bool:
        """A boolean value; false where it is absent or of another type."""
        return self.metadata.get(key) is True


def read_gguf_header(path: Path) -> GgufHeader:
    """Read and check the header of a GGUF file.

    Args:
        path: of the file.

    Raises:
        ModelNotFound: there is no such file, or it may not be read.
        ModelDamaged: it is no GGUF file, is malformed, or ends before its last tensor does.
    """
    try:
        with path.open("rb") as stream:
            return _Reader(stream, path.name, path.stat().st_size).read()
    except OSError as error:
        raise ModelNotFound(name=path.name) from error


def read_gguf_start(start: bytes, name: str) -> dict[str, object]:
    """The key/value pairs at a GGUF file's beginning, as far as it reaches; a vocabulary ends it early.

    Args:
        start: first bytes of the file.
        name: of the file.

    Raises:
        ModelDamaged: it does not begin as a GGUF file does.
    """
    metadata: dict[str, object] = {}
    reader = _Reader(io.BytesIO(start), name, 1 << 62)
    count = reader.read_counts()[1]
    with contextlib.suppress(ModelDamaged):
        reader.read_metadata(count, metadata)
    return metadata


class _Reader:
    """Walks through one header; `_left` is what the file still holds behind the cursor."""

    def __init__(self, stream: BinaryIO, name: str, file_bytes: int) -> None:
        self._stream = stream
        self._name = name
        self._file_bytes = file_bytes
        self._left = file_bytes
        self._version = 0

    def read(self) -> GgufHeader:
        tensor_count, pair_count = self.read_counts()
        metadata: dict[str, object] = {}
        self.read_metadata(pair_count, metadata)
        tensors = self._read_tensors(tensor_count, self._alignment(metadata))
        return GgufHeader(self._version, metadata, tensors, self._file_bytes)

    def read_counts(self) -> tuple[int, int]:
        """How many tensors and pairs follow."""
        if self._take(4) != b"GGUF":
            self._fail("it does not begin as a GGUF file does")
        self._version = self._unpack(_U32)
        if self._version not in (2, 3):
            self._fail(f"GGUF version {self._version} is unknown")
        tensor_count, pair_count = self._unpack(_U64), self._unpack(_U64)
        if pair_count > _MOST_PAIRS or tensor_count > _MOST_TENSORS:
            self._fail("its header names impossibly many values or tensors")
        return tensor_count, pair_count

    def read_metadata(self, count: int, metadata: dict[str, object]) -> None:
        """Put so many pairs into a dictionary."""
        for _ in range(count):
            key = self._string(strict=True)
            if not key or key in metadata:
                self._fail(f"the key “{key[:80]}” is empty or stands there twice")
            metadata[key] = self._value(self._unpack(_U32))

    def _read_tensors(self, count: int, alignment: int) -> tuple[GgufTensor, ...]:
        relative = [self._tensor_info(alignment) for _ in range(count)]
        if len({tensor.name for tensor in relative}) != count:
            self._fail("a tensor stands there twice")
        header_bytes = self._file_bytes - self._left
        start = -(-header_bytes // alignment) * alignment
        tensors = tuple(
            GgufTensor(t.name, t.shape, t.type_name, start + t.offset, t.size_bytes) for t in relative
        )
        end = max((t.offset + t.size_bytes for t in tensors), default=0)
        if end > self._file_bytes:
            self._fail(f"it is cut short: {self._file_bytes} of {end} bytes are there")
        return tensors

    def _tensor_info(self, alignment: int) -> GgufTensor:
        name = self._string(strict=True)
        if not name or len(name.encode()) > _MOST_TENSOR_NAME_BYTES:
            self._fail("a tensor's name is empty or too long")
        dimensions = self._unpack(_U32)
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            self._fail(f"the tensor “{name}” has {dimensions} dimensions")
        shape = tuple(self._unpack(_U64) for _ in range(dimensions))
        type_id = self._unpack(_U32)
        if type_id not in TENSOR_TYPES:
            self._fail(f"the tensor “{name}” has the unknown type {type_id}")
        tensor_type = TENSOR_TYPES[type_id]
        if not all(shape) or shape[0] % tensor_type.block_elements:
            self._fail(f"the tensor “{name}” has an impossible shape")
        offset = self._unpack(_U64)
        if offset % alignment:
            self._fail(f"the tensor “{name}” begins at an impossible place")
        size_bytes = math.prod(shape) // tensor_type.block_elements * tensor_type.block_bytes
        return GgufTensor(name, shape, tensor_type.name, offset, size_bytes)

    def _alignment(self, metadata: dict[str, object]) -> int:
        value = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(value, int) or value <= 0 or value & (value - 1):
            self._fail("its alignment is impossible")
        return value

    def _value(self, type_id: int) -> object:
        if type_id == _STRING_TYPE:
            return self._string(strict=False)
        if type_id == _ARRAY_TYPE:
            return self._array()
        return self._scalar(type_id)

    def _scalar(self, type_id: int) -> Scalar:
        layout = _SCALARS.get(type_id)
        if layout is None:
            self._fail(f"a value has the unknown type {type_id}")
        return _first(layout.unpack(self._take(layout.size)))

    def _array(self) -> tuple[Scalar, ...] | LongArray:
        type_id, length = self._unpack(_U32), self._unpack(_U64)
        if type_id == _STRING_TYPE:
            return self._string_array(length)
        layout = _SCALARS.get(type_id)
        if layout is None:
            self._fail(f"an array has the unknown type {type_id}")
        if length > LONGEST_KEPT_ARRAY:
            self._skip(length * layout.size)
            return LongArray(length)
        data = self._take(length * layout.size)
        return tuple(_first(item) for item in layout.iter_unpack(data))

    def _string_array(self, length: int) -> tuple[Scalar, ...] | LongArray:
        self._check_room(length * _U64.size)
        if length <= LONGEST_KEPT_ARRAY:
            return tuple(self._string(strict=False) for _ in range(length))
        self._skip_strings(length)
        return LongArray(length)

    def _skip_strings(self, count: int) -> None:
        """Walk over strings block by block: a vocabulary and its merges are 300,000 of them."""
        while count:
            start = self._stream.tell()
            block = self._stream.read(min(self._left, _BLOCK_BYTES))
            passed, place = _whole_strings(block, count)
            self._stream.seek(start)
            if passed:
                self._skip(place)
                count -= passed
            else:  # longer than a block, or cut short
                self._skip(self._unpack(_U64))
                count -= 1

    def _string(self, *, strict: bool) -> str:
        length = self._unpack(_U64)
        if length > _MOST_STRING_BYTES:
            self._fail("a text in its header is impossibly long")
        try:
            return self._take(length).decode("utf-8", "strict" if strict else "replace")
        except UnicodeDecodeError:
            self._fail("a name in its header is garbled")

    def _unpack(self, layout: struct.Struct) -> int:
        return int(layout.unpack(self._take(layout.size))[0])

    def _take(self, count: int) -> bytes:
        self._check_room(count)
        data = self._stream.read(count)
        if len(data) != count:
            self._fail("it is cut short within its header")
        self._left -= count
        return data

    def _skip(self, count: int) -> None:
        self._check_room(count)
        self._stream.seek(count, 1)
        self._left -= count

    def _check_room(self, count: int) -> None:
        if count > self._left:
            self._fail("it is cut short within its header")

    def _fail(self, reason: str) -> NoReturn:
        raise ModelDamaged(file=self._name, reason=reason)


def _first(values: tuple[Scalar, ...]) -> Scalar:
    return values[0]


def _whole_strings(block: bytes, most: int) -> tuple[int, int]:
    """How many strings, at most `most`, lie whole at a block's beginning, and where they end."""
    count = place = 0
    while count < most and place + 8 <= len(block):
        end = place + 8 + int.from_bytes(block[place : place + 8], "little")
        if end > len(block):
            break
        count, place = count + 1, end
    return count, place
