"""Read the header of a safetensors file: names, types and places of its tensors, no data.

Source of the layout: the safetensors format description (8 bytes length, little endian; JSON; data).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktopapp.errors import ModelDamaged

_LONGEST_HEADER_BYTES = 100_000_000
# The format's names of types -> the names that people know.
_PRECISIONS = {"F8_E4M3": "FP8", "F8_E5M2": "FP8"}


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """What stands before the data.

    Args:
        bytes_by_type: size of all tensors of each type, as `{"BF16": 4096}`.
        expected_bytes: how long the file has to be.
        file_bytes: how long it is.
    """

    bytes_by_type: dict[str, int]
    expected_bytes: int
    file_bytes: int

    @property
    def is_cut_short(self) -> bool:
        """Whether data is missing at the end."""
        return self.file_bytes < self.expected_bytes


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Read the header of one file.

    Args:
        path: of the file.

    Raises:
        ModelDamaged: it is no safetensors file.
        OSError: it cannot be read.
    """
    file_bytes = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if file_bytes < 8 or length > _LONGEST_HEADER_BYTES:
            raise ModelDamaged(file=path.name, reason="it does not begin as a safetensors file does")
        text = stream.read(length)
    if len(text) < length:
        return SafetensorsHeader({}, 8 + length, file_bytes)
    try:
        sizes = _tensor_sizes(json.loads(text))
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelDamaged(file=path.name, reason="its header is garbled") from error
    bytes_by_type: Counter[str] = Counter()
    for type_name, begin, end in sizes:
        bytes_by_type[type_name] += end - begin
    last = max((end for _, _, end in sizes), default=0)
    return SafetensorsHeader(dict(bytes_by_type), 8 + length + last, file_bytes)


def precision_of(bytes_by_type: dict[str, int]) -> str:
    """The type that holds most of the weights, as `BF16`; empty when there are none."""
    name = max(bytes_by_type, key=lambda key: bytes_by_type[key], default="")
    return _PRECISIONS.get(name, name)


def _tensor_sizes(header: dict[str, Any]) -> list[tuple[str, int, int]]:
    sizes = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = map(int, entry["data_offsets"])
        if not 0 <= begin <= end:
            raise ValueError("offsets run backwards")
        sizes.append((str(entry["dtype"]), begin, end))
    return sizes
