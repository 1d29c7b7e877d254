"""Sizes of pictures: any number of rows and columns of visual tokens, since pictures that people drop have any."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from models.pocket.shape import CELL_PX


@dataclass(frozen=True, slots=True)
class Sizes:
    """A range of picture sizes.

    Args:
        fewest_cells: of a picture.
        most_cells: likewise.
        tallest: least columns a row.
        flattest: most columns a row.
    """

    fewest_cells: int
    most_cells: int
    tallest: float
    flattest: float

    def draw(self, rng: Random) -> tuple[int, int]:
        """Height and width in px, whole cells; areas and aspects are drawn evenly in their logarithms."""
        while True:
            cells = self.fewest_cells * (self.most_cells / self.fewest_cells) ** rng.random()
            aspect = self.tallest * (self.flattest / self.tallest) ** rng.random()
            rows = max(1, round((cells / aspect) ** 0.5))
            columns = max(1, round(cells / rows))
            if self.fewest_cells <= rows * columns <= self.most_cells:
                return rows * CELL_PX, columns * CELL_PX


# The processor makes every picture one of 64 to 320 cells.
SMALL = Sizes(64, 84, 0.4, 2.8)
MIDDLE = Sizes(85, 150, 0.4, 2.8)
LARGE = Sizes(151, 320, 0.4, 2.8)
STRIPS = Sizes(64, 90, 1.4, 21.0)
WIDE = Sizes(64, 320, 0.9, 5.0)
VIDEO = Sizes(16, 64, 0.5, 2.0)
