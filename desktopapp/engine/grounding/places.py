"""Boxes and points, as the model gives them and as pixels."""

from __future__ import annotations

from dataclasses import dataclass

FULL = 1000.0
"""Qwen3-VL speaks of places in thousandths of a picture's width and height, whatever its shape and size."""


@dataclass(frozen=True, slots=True)
class Place:
    """A box or a point that an answer names.

    Args:
        coordinates: x1, y1, x2, y2 of a box (x1 < x2, y1 < y2) or x, y of a point, each 0..1000.
        label: what is there, or empty.
        text: what is written there, or empty.
        picture: number of the picture, from 1, where the answer says which.
        page: number of the page likewise.
        time_s: second of the video, where the answer says which.
        start: first character of the answer that says this.
        end: one behind the last.
    """

    coordinates: tuple[float, ...]
    label: str = ""
    text: str = ""
    picture: int | None = None
    page: int | None = None
    time_s: float | None = None
    start: int = 0
    end: int = 0

    @property
    def is_box(self) -> bool:
        """A box; else a point."""
        return len(self.coordinates) == 4

    @property
    def caption(self) -> str:
        """The label, or what is written there."""
        return self.label or self.text

    def pixels(self, width: int, height: int) -> tuple[float, ...]:
        """The coordinates in a picture, turned upright, of a size in pixels."""
        sides = (width, height)
        return tuple(value * sides[axis % 2] / FULL for axis, value in enumerate(self.coordinates))


@dataclass(frozen=True, slots=True)
class Moment:
    """A second or a stretch of a video that an answer names.

    Args:
        start_s: when it begins.
        end_s: when it ends, or None for a single moment.
        label: what happens, or empty.
        start: first character of the answer that says this.
        end: one behind the last.
    """

    start_s: float
    end_s: float | None
    label: str
    start: int
    end: int


def make_place_coordinates(values: tuple[float, ...]) -> tuple[float, ...] | None:
    """Two or four numbers as coordinates of a place, corners put in order.

    Returns:
        The coordinates, or None for what is no place: numbers outside of 0..1000, a box without an inside.
    """
    if len(values) not in (2, 4) or not all(0 <= value <= FULL for value in values):
        return None
    if len(values) == 2:
        return values
    x1, x2 = sorted((values[0], values[2]))
    y1, y2 = sorted((values[1], values[3]))
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None
