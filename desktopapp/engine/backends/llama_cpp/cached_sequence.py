"""What lies in the KV cache, unit by unit.

Cells and positions are counted apart: a picture of 60 visual tokens takes 60 cells but only 10 positions, the
longer side of its grid (M-RoPE). llama.cpp takes wrong positions without a word, so they are counted here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CachedImage:
    """A picture in the cache.

    Args:
        pixels_id: hash of the pixels that the model was shown.
        cells: visual tokens.
        positions: that it takes.
    """

    pixels_id: str
    cells: int
    positions: int


Unit: TypeAlias = int | CachedImage
"""A text token or a whole picture: what a cache can be cut between."""


class CachedSequence:
    """Text tokens and pictures in order.

    Args:
        units: to begin with.

    Attributes:
        units: in order.
        cells: that they take.
        position: of what comes next.
    """

    def __init__(self, units: Iterable[Unit] = ()) -> None:
        self.units: list[Unit] = []
        self.cells = 0
        self.position = 0
        self.add(units)

    def add(self, units: Iterable[Unit]) -> None:
        """Append."""
        for unit in units:
            self.units.append(unit)
            if isinstance(unit, CachedImage):
                self.cells += unit.cells
                self.position += unit.positions
            else:
                self.cells += 1
                self.position += 1

    def first(self, count: int) -> CachedSequence:
        """The first `count` units by themselves."""
        return CachedSequence(self.units[:count])
