"""A picture as a plan: what is painted where. `render.py` paints many plans at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from models.pocket.glyphs import CHARS, FIRST_CHAR, ICONS, SHAPE_NAMES, SHAPE_SIZES_PX, Atlas

Rgb = tuple[int, int, int]
Box = tuple[float, float, float, float]

# Prototype of each colour name, and how far it may stray.
COLOURS: dict[str, tuple[Rgb, int]] = {
    "red": ((220, 35, 35), 28),
    "orange": ((245, 140, 20), 16),
    "yellow": ((245, 220, 40), 18),
    "green": ((40, 165, 60), 28),
    "blue": ((35, 85, 225), 30),
    "purple": ((140, 50, 175), 22),
    "black": ((15, 15, 15), 14),
    "white": ((246, 246, 246), 9),
}
# Height of a lower-case letter's middle above the base line, in em: where a character is taken to be.
_LETTER_MIDDLE_EM = 0.28
# A glyph: left, top, mask, red, green, blue, code - 32 (0 for what is no character to read), middle x, middle y.
GLYPH_FIELDS = 9


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture.

    Args:
        text: what it says.
        box: of its ink: left, top, right, bottom in px.
        x: float32 (characters,), middle of each character, px.
        y: middle of its letters, px.
    """

    text: str
    box: Box
    x: NDArray[np.float32]
    y: float

    def part(self, start: int, end: int, letter_px: float) -> Box:
        """Box of some of its characters: their pens' span, and the line's own height."""
        half = letter_px / 2
        return (float(self.x[start]) - half, self.box[1], float(self.x[end - 1]) + half, self.box[3])


@dataclass(frozen=True, slots=True)
class Shape:
    """A coloured shape in a picture: names from `SHAPE_NAMES` and `COLOURS`, and its box in px."""

    kind: str
    colour: str
    box: Box

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre, px."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(slots=True)
class Canvas:
    """A picture being planned.

    Args:
        atlas: masks to paint with.
        width: px.
        height: px.
        rng: of every random choice.
        smallest_px: no letters' em is smaller, unless there is no larger one that fits.
    """

    atlas: Atlas
    width: int
    height: int
    rng: Random
    smallest_px: float = 0.0
    background: tuple[Rgb, Rgb] = ((255, 255, 255), (255, 255, 255))
    rectangles: list[tuple[float, ...]] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    glyphs: list[NDArray[np.int32]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    # The text measured last: what is fitted is painted next.
    _measured: tuple[str, int, NDArray[np.intp], NDArray[np.float32]] | None = None

    def paint_background(self, *, dark: bool | None = None) -> Rgb:
        """Choose a background, at times running from one colour to another; returns its mean."""
        rng = self.rng
        dark = rng.random() < 0.4 if dark is None else dark
        tinted = rng.random() < 0.5
        level = rng.randint(0, 70) if dark else rng.randint(185, 255)
        spread = 45 if tinted else 3
        first = _clip(tuple(level + rng.randint(-spread, spread) for _ in range(3)))
        second = first
        if rng.random() < 0.25:
            second = _clip(tuple(channel + rng.randint(-25, 25) for channel in first))
        self.background = (first, second)
        return _clip(tuple((a + b) // 2 for a, b in zip(first, second, strict=True)))

    def paint_rectangle(self, box: Box, colour: Rgb, radius: float = 0.0) -> None:
        """Fill a rectangle; later ones lie above earlier ones, below all shapes and text."""
        self.rectangles.append((*box, *colour, radius))

    def paint_shape(self, kind: str, colour: str, size: int, x: float, y: float) -> Shape:
        """Paint a shape: index into `SHAPE_SIZES_PX` and top left corner in px."""
        mask = self.atlas.shape_mask(SHAPE_NAMES.index(kind), size, self.rng.randrange(3))
        self.shapes.append((round(x), round(y), mask, *self.stray(colour), list(COLOURS).index(colour)))
        side = SHAPE_SIZES_PX[size]
        return Shape(kind, colour, (x, y, x + side, y + side))

    def clear(self) -> None:
        """Paint nothing of what was planned so far."""
        for planned in (self.rectangles, self.shapes, self.glyphs, self.lines):
            planned.clear()

    def choose_face(self, most_px: float) -> int:
        """A face of `most_px` an em at most, if there is one among many."""
        sizes = self.atlas.face_size
        face = 0
        for attempt in range(60):
            face = self.rng.randrange(len(sizes))
            size = float(sizes[face])
            if size <= most_px and (size >= self.smallest_px or attempt > 30):
                return face
        return int(np.argmin(sizes))

    def paint_icon(self, x: float, y: float, most_px: float, colour: Rgb) -> float:
        """Draw an icon, its left end at `x` and its middle at `y`; returns its width, 0 if none was small enough."""
        for _ in range(8):
            mask = self.atlas.icon_mask(self.rng.randrange(ICONS))
            side = int(self.atlas.width[mask])
            if side <= most_px:
                place = (round(x), round(y - side / 2), mask, *colour, 0, round(x), round(y))
                self.glyphs.append(np.array([place], np.int32))
                return float(side)
        return 0.0

    def paint_scrap(self, text: str, face: int, x: float, baseline: float, colour: Rgb) -> None:
        """Write what is not to be read, as the rest of a line that an edge cuts off."""
        self.paint_text(text, face, x, baseline, colour)
        self.lines.pop()
        self.glyphs[-1][:, 6] = 0

    def stray(self, colour: str) -> Rgb:
        """A colour near the one of that name."""
        (r, g, b), by = COLOURS[colour]
        step = self.rng.randint
        return _clip((r + step(-by, by), g + step(-by, by), b + step(-by, by)))

    def ink(self, ground: Rgb) -> Rgb:
        """A colour that can be read on `ground`."""
        rng = self.rng
        brightness = _brightness(ground)
        while True:
            if rng.random() < 0.6:
                level = rng.randint(0, 60) if brightness > 120 else rng.randint(195, 255)
                colour = _clip((level, level + rng.randint(-12, 12), level + rng.randint(-12, 12)))
            else:
                colour = (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))
            if abs(_brightness(colour) - brightness) > 85:
                return colour

    def measure(self, text: str, face: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Character indices and pen places (characters + 1,) of a text that starts at 0."""
        if self._measured is not None and self._measured[:2] == (text, face):
            return self._measured[2], self._measured[3]
        codes = np.frombuffer(text.encode(), np.uint8).astype(np.intp) - FIRST_CHAR
        advance = self.atlas.advance[face].take(codes)
        if len(codes) > 1:
            size = self.atlas.face_size[face]
            kerning = self.atlas.kerning[self.atlas.face_font[face]]
            advance[:-1] += kerning[codes[:-1], codes[1:]] * size
        pens = np.zeros(len(codes) + 1, np.float32)
        np.cumsum(advance, out=pens[1:])
        self._measured = (text, face, codes, pens)
        return codes, pens

    def paint_text(
        self, text: str, face: int, x: float, baseline: float, colour: Rgb, *, spacing: float = 0.0
    ) -> Line:
        """Write a line; `spacing` is added after each character, px."""
        codes, pens = self.measure(text, face)
        pens = pens + x
        if spacing:
            pens += spacing * np.arange(len(pens), dtype=np.float32)
        masks = face * CHARS + codes
        left = np.rint(pens[:-1] + self.atlas.left.take(masks)).astype(np.int32)
        top = np.rint(baseline + self.atlas.top.take(masks)).astype(np.int32)
        inked = codes != 0
        middles = ((pens[:-1] + pens[1:]) / 2).astype(np.float32)
        y = baseline - _LETTER_MIDDLE_EM * float(self.atlas.face_size[face])
        row = np.empty((len(codes), GLYPH_FIELDS), np.int32)
        row[:, 0], row[:, 1], row[:, 2] = left, top, masks
        row[:, 3:6] = colour
        row[:, 6], row[:, 7], row[:, 8] = codes, np.rint(middles), round(y)

        edges = row[inked]
        masks = edges[:, 2]
        self.glyphs.append(edges)
        bottom = edges[:, 1] + self.atlas.height.take(masks)
        box = (
            float(edges[0, 0]),
            float(edges[:, 1].min()),
            float(edges[-1, 0] + self.atlas.width[masks[-1]]),
            float(bottom.max()),
        )
        line = Line(text, box, middles, y)
        self.lines.append(line)
        return line


def _brightness(colour: Rgb) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def _clip(colour: tuple[int, ...]) -> Rgb:
    r, g, b = (max(0, min(255, channel)) for channel in colour)
    return r, g, b
