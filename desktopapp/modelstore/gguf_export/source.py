"""A Hugging Face model folder: its JSON files with checked types, and its tensors, mapped and not loaded.

Source of the tensor files' layout: the safetensors format (eight bytes with the length of a JSON header,
the header, the data). They are mapped here rather than read with `safetensors.numpy`, which has no bfloat16.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktopapp.errors import ModelDamaged, ModelIncomplete, ModelUnsupported

_MOST_HEADER_BYTES = 100 << 20
_NUMPY_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file, or a part of one.

    Args:
        array: a view of the mapped file: float32, float16, or bfloat16 as its bits in uint16.
        is_bfloat16: how to read uint16.
    """

    array: NDArray[Any]
    is_bfloat16: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis, in numpy's order."""
        return tuple(self.array.shape)

    def view(self, array: NDArray[Any]) -> StoredTensor:
        """A part or a permutation of this tensor."""
        return StoredTensor(array, self.is_bfloat16)


@dataclass(frozen=True, slots=True)
class Section:
    """A JSON object of which values are asked by type.

    Args:
        file_name: for messages.
        values: of the object.
    """

    file_name: str
    values: dict[str, Any]

    def section(self, key: str) -> Section:
        """The object under `key`; empty where it is absent."""
        value = self.values.get(key)
        return Section(self.file_name, value if isinstance(value, dict) else {})

    def integer(self, key: str, default: int | None = None) -> int:
        """An integer that is zero or more.

        Raises:
            ModelDamaged: it is absent without a default, or something else.
        """
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ModelDamaged(file=self.file_name, reason=f"“{key}” is missing or no number")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number.

        Raises:
            ModelDamaged: it is absent without a default, or something else.
        """
        value = self.values.get(key, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ModelDamaged(file=self.file_name, reason=f"“{key}” is missing or no number")
        return float(value)

    def numbers(self, key: str, default: list[float]) -> list[float]:
        """A list of numbers."""
        value = self.values.get(key, default)
        if not isinstance(value, list) or not all(isinstance(v, (int, float)) for v in value):
            raise ModelDamaged(file=self.file_name, reason=f"“{key}” is no list of numbers")
        return [float(v) for v in value]


class ModelFolder:
    """A model's folder.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.resolve().name
        self._tensors: dict[str, StoredTensor] | None = None

    def read_text(self, file_name: str) -> str:
        """The text of one of its files.

        Raises:
            ModelIncomplete: it is not there.
            ModelDamaged: it is no UTF-8.
        """
        try:
            return (self.path / file_name).read_text(encoding="utf-8")
        except OSError as error:
            raise ModelIncomplete(name=self.name, missing=file_name) from error
        except UnicodeDecodeError as error:
            raise ModelDamaged(file=file_name, reason="it is no UTF-8 text") from error

    def read_json(self, file_name: str) -> Section:
        """One of its JSON files.

        Raises:
            ModelIncomplete: it is not there.
            ModelDamaged: it is no JSON object.
        """
        try:
            values = json.loads(self.read_text(file_name))
        except (ValueError, RecursionError) as error:
            raise ModelDamaged(file=file_name, reason="it is no JSON") from error
        if not isinstance(values, dict):
            raise ModelDamaged(file=file_name, reason="it is no JSON object")
        return Section(file_name, values)

    def has(self, file_name: str) -> bool:
        """Whether a file is there."""
        return (self.path / file_name).is_file()

    def tensors(self) -> dict[str, StoredTensor]:
        """All tensors of all shards, by name.

        Raises:
            ModelIncomplete: a shard is missing.
            ModelDamaged: a shard is malformed or cut short.
            ModelUnsupported: weights in a type that cannot be converted.
        """
        if self._tensors is None:
            self._tensors = {}
            for shard in self._shards():
                self._tensors.update(_map_tensors(self.path / shard, self.name))
        return self._tensors

    def _shards(self) -> list[str]:
        index = "model.safetensors.index.json"
        if not self.has(index):
            return ["model.safetensors"]
        names = set(self.read_json(index).section("weight_map").values.values())
        if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
            raise ModelDamaged(file=index, reason="it names no shards")
        return sorted(names)


def _map_tensors(path: Path, model_name: str) -> dict[str, StoredTensor]:
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except OSError as error:
        raise ModelIncomplete(name=model_name, missing=path.name) from error
    except ValueError as error:
        raise ModelDamaged(file=path.name, reason="it is empty") from error
    header, start = _read_header(data, path.name)
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            tensors[name] = _map_tensor(data, start, name, info, path.name, model_name)
    return tensors


def _read_header(data: NDArray[np.uint8], file_name: str) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or length > min(len(data) - 8, _MOST_HEADER_BYTES):
        raise ModelDamaged(file=file_name, reason="it is cut short or no safetensors file")
    try:
        header = json.loads(data[8 : 8 + length].tobytes())
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(file=file_name, reason="its header is garbled") from error
    if not isinstance(header, dict):
        raise ModelDamaged(file=file_name, reason="its header is garbled")
    return header, 8 + length


def _map_tensor(
    data: NDArray[np.uint8], start: int, name: str, info: Any, file_name: str, model_name: str
) -> StoredTensor:
    try:
        type_name = str(info["dtype"])
        shape = tuple(int(side) for side in info["shape"])
        begin, end = (start + int(offset) for offset in info["data_offsets"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelDamaged(file=file_name, reason=f"the entry of “{name}” is garbled") from error
    if type_name not in _NUMPY_TYPES:
        raise ModelUnsupported(name=model_name, reason=f"weights of type {type_name} cannot be converted")
    dtype = np.dtype(_NUMPY_TYPES[type_name])
    if end > len(data):
        raise ModelDamaged(file=file_name, reason=f"it is cut short: {len(data)} of {end} bytes are there")
    if min(shape, default=1) <= 0 or not start <= begin or end - begin != math.prod(shape) * dtype.itemsize:
        raise ModelDamaged(file=file_name, reason=f"the entry of “{name}” is garbled")
    return StoredTensor(data[begin:end].view(dtype).reshape(shape), type_name == "BF16")
