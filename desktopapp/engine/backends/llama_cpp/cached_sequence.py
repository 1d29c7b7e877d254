"""What lies in the KV cache, unit by unit.

Cells and positions are counted apart: a picture of 60 visual tokens takes 60 cells but only 10 positions, the
longer side of its grid (M-RoPE). llama.cpp takes wrong positions without a word, so they are counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        self.units: list[Unit] = list(units)
        images = [unit for unit in self.units if isinstance(unit, CachedImage)]
        self.cells = len(self.units) + sum(image.cells - 1 for image in images)
        self.position = len(self.units) + sum(image.positions - 1 for image in images)

    def add_image(self, image: CachedImage) -> None:
        """Append a picture."""
        self.units.append(image)
        self.cells += image.cells
        self.position += image.positions

    def add_tokens(self, tokens: Sequence[int]) -> None:
        """Append text, of which there may be much."""
        self.units.extend(tokens)
        self.cells += len(tokens)
        self.position += len(tokens)

    def first(self, count: int) -> CachedSequence:
        """The first `count` units by themselves."""
        return CachedSequence(self.units[:count])
