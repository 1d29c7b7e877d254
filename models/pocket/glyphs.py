"""The atlas: every printable ASCII character of every training font at several sizes, masks of shapes and of icons.

Scenes are composed from these masks on the GPU, many thousand pictures a second; nothing is drawn while training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FIRST_CHAR, CHARS = 32, 95
SHAPE_NAMES = ("circle", "square", "triangle", "star", "diamond", "cross")
SHAPE_SIZES_PX = tuple(range(24, 132, 4))
_TILTS = 3
# Small line drawings, as they stand beside labels.
ICONS = 600
_ICON_SIZES_PX = (9, 30)
_OVERSAMPLING = 4
_KERNING_SIZE_PX = 64
# Fonts that move none of these have no kerning table.
_KERNED_PAIRS = ("AV", "VA", "To", "Te", "AT", "Ty", "LT", "P.", "Yo", "Wa", "r.", "Av")
_SMALLEST_PX, _LARGEST_PX = 10.0, 58.0
# Share of faces drawn with the font's hinting on whole pixels; the others are smoothed at quarter-pixel places.
_HINTED_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Atlas:
    """All masks in one buffer, and where they are.

    Args:
        pixels: uint8 (bytes,), coverage 0..255, mask after mask, row by row.
        start: int64 (masks,), first byte of each mask; mask `face * 95 + code - 32` is a character, those of shapes
            follow, then those of icons.
        width: int16 (masks,), px.
        height: int16 (masks,), px.
        left: float32 (masks,), from the pen to the mask's left edge, px; for a shape 0.
        top: float32 (masks,), from the base line to the mask's top edge, px (negative is up); for a shape 0.
        advance: float32 (faces, 95), how far the pen moves, px.
        kerning: float16 (fonts, 95, 95), what a pair adds, in em.
        face_font: int16 (faces,), font of each face.
        face_size: float32 (faces,), em of each face, px.
    """

    pixels: NDArray[np.uint8]
    start: NDArray[np.int64]
    width: NDArray[np.int16]
    height: NDArray[np.int16]
    left: NDArray[np.float32]
    top: NDArray[np.float32]
    advance: NDArray[np.float32]
    kerning: NDArray[np.float16]
    face_font: NDArray[np.int16]
    face_size: NDArray[np.float32]

    @property
    def faces(self) -> int:
        """How many faces (a font at a size) there are."""
        return len(self.face_size)

    def shape_mask(self, kind: int, size: int, tilt: int) -> int:
        """Index of the mask of a shape: index into `SHAPE_NAMES`, into `SHAPE_SIZES_PX`, and 0..2."""
        return self.faces * CHARS + (kind * len(SHAPE_SIZES_PX) + size) * _TILTS + tilt

    def icon_mask(self, icon: int) -> int:
        """Index of the mask of an icon, 0 to `ICONS` - 1."""
        return self.shape_mask(len(SHAPE_NAMES), 0, 0) + icon

    def save(self, folder: Path) -> None:
        """Write one .npy file a field, so that loader processes can map them."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @staticmethod
    def load(folder: Path) -> Atlas:
        """Map an atlas that `save` wrote."""
        # Plain arrays over the mapped files: indexing NumPy's memmap class costs three times as much.
        names = [field.name for field in fields(Atlas)]
        return Atlas(**{name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in names})


@dataclass(frozen=True, slots=True)
class _FontMasks:
    masks: list[NDArray[np.uint8]]
    left: list[float]
    top: list[float]
    advance: NDArray[np.float32]
    kerning: NDArray[np.float16]
    sizes: list[float]


def build_atlas(fonts: Sequence[Path], *, faces_per_font: int, seed: int, processes: int) -> Atlas:
    """Rasterise the fonts.

    Args:
        fonts: TrueType or OpenType files that have all of printable ASCII; one that Pillow cannot open is left out.
        faces_per_font: sizes drawn of each.
        seed: of the sizes and sub-pixel places.
        processes: that share the work.
    """
    jobs = [(font, faces_per_font, seed * 1_000_003 + index) for index, font in enumerate(sorted(fonts))]
    with ProcessPoolExecutor(processes) as pool:
        drawn = [result for result in pool.map(_draw_font, jobs, chunksize=4) if result is not None]
    masks = [mask for font in drawn for mask in font.masks]
    left = [value for font in drawn for value in font.left]
    top = [value for font in drawn for value in font.top]
    shapes = [
        _draw_shape(kind, size, tilt)
        for kind in SHAPE_NAMES
        for size in SHAPE_SIZES_PX
        for tilt in range(_TILTS)
    ]
    rng = np.random.default_rng(seed)
    drawings = shapes + [_draw_icon(rng) for _ in range(ICONS)]
    masks += drawings
    left += [0.0] * len(drawings)
    top += [0.0] * len(drawings)
    lengths = np.array([mask.size for mask in masks], np.int64)
    return Atlas(
        pixels=np.concatenate([mask.ravel() for mask in masks]),
        start=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        width=np.array([mask.shape[1] for mask in masks], np.int16),
        height=np.array([mask.shape[0] for mask in masks], np.int16),
        left=np.array(left, np.float32),
        top=np.array(top, np.float32),
        advance=np.concatenate([font.advance for font in drawn]),
        kerning=np.stack([font.kerning for font in drawn]),
        face_font=np.repeat(np.arange(len(drawn)), faces_per_font).astype(np.int16),
        face_size=np.array([size for font in drawn for size in font.sizes], np.float32),
    )


def _draw_font(job: tuple[Path, int, int]) -> _FontMasks | None:
    path, faces, seed = job
    rng = np.random.default_rng(seed)
    spread = (np.arange(faces) + rng.random(faces)) / faces
    # Small letters are the harder ones: somewhat more of them.
    sizes = _SMALLEST_PX * (_LARGEST_PX / _SMALLEST_PX) ** (spread**1.15)
    masks: list[NDArray[np.uint8]] = []
    left: list[float] = []
    top: list[float] = []
    advance = np.zeros((faces, CHARS), np.float32)
    used: list[float] = []
    try:
        kerning = _kerning(path)
        for face, size in enumerate(sizes):
            hinted = rng.random() < _HINTED_SHARE
            em = float(round(size)) if hinted else float(size)
            scale = 1 if hinted else _OVERSAMPLING
            font = ImageFont.truetype(str(path), em * scale, layout_engine=ImageFont.Layout.BASIC)
            used.append(em)
            for code in range(CHARS):
                char = chr(FIRST_CHAR + code)
                mask, x, y = _draw_char(font, char, scale, int(rng.integers(scale)))
                masks.append(mask)
                left.append(x)
                top.append(y)
                advance[face, code] = font.getlength(char) / scale
    except OSError:
        return None
    return _FontMasks(masks, left, top, advance, kerning, used)


def _kerning(path: Path) -> NDArray[np.float16]:
    font = ImageFont.truetype(str(path), _KERNING_SIZE_PX, layout_engine=ImageFont.Layout.BASIC)
    chars = [chr(FIRST_CHAR + code) for code in range(CHARS)]
    alone = np.array([font.getlength(char) for char in chars])
    if all(font.getlength(p) == font.getlength(p[0]) + font.getlength(p[1]) for p in _KERNED_PAIRS):
        return np.zeros((CHARS, CHARS), np.float16)
    pairs = np.array([[font.getlength(a + b) for b in chars] for a in chars])
    added: NDArray[np.float64] = (pairs - alone[:, None] - alone[None]) / _KERNING_SIZE_PX
    return added.astype(np.float16)


def _draw_char(
    font: ImageFont.FreeTypeFont, char: str, scale: int, phase: int
) -> tuple[NDArray[np.uint8], float, float]:
    """The mask of a character, and its left and top edge relative to the pen on the base line, px."""
    image, (x, y) = font.getmask2(char, mode="L", anchor="ls")
    width, height = image.size
    if width == 0 or height == 0:
        return np.zeros((1, 1), np.uint8), 0.0, 0.0
    drawn = np.array(image, np.uint8).reshape(height, width)
    if scale == 1:
        return drawn, float(x), float(y)
    before = y % scale
    drawn = np.pad(drawn, ((before, -(before + height) % scale), (phase, -(phase + width) % scale)))
    rows, columns = drawn.shape[0] // scale, drawn.shape[1] // scale
    small = drawn.reshape(rows, scale, columns, scale).astype(np.float32).mean((1, 3))
    return np.rint(small).astype(np.uint8), (x - phase) / scale, (y - before) / scale


def _draw_shape(name: str, size: int, tilt: int) -> NDArray[np.uint8]:
    side = size * _OVERSAMPLING
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    angle = math.radians((tilt - 1) * 7)
    if name == "circle":
        draw.ellipse((0, 0, side - 1, side - 1), fill=255)
    else:
        middle = side / 2
        points = [
            (
                middle + middle * (x * math.cos(angle) - y * math.sin(angle)),
                middle + middle * (x * math.sin(angle) + y * math.cos(angle)),
            )
            for x, y in _outline(name)
        ]
        draw.polygon(points, fill=255)
    return np.array(image.resize((size, size), Image.Resampling.BOX), np.uint8)


def _draw_icon(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Some strokes and outlines in a small square."""
    size = int(rng.integers(*_ICON_SIZES_PX))
    side = size * _OVERSAMPLING
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    width = max(_OVERSAMPLING, round(side * rng.uniform(0.06, 0.14)))
    for _ in range(int(rng.integers(1, 5))):
        points = [
            (int(x), int(y)) for x, y in rng.integers(width, side - width, (int(rng.integers(2, 5)), 2))
        ]
        (x0, x1), (y0, y1) = (sorted(values) for values in zip(*points[:2], strict=True))
        filled = 255 if rng.random() < 0.25 else None
        kind = rng.integers(5)
        if kind == 0:
            draw.line(points, fill=255, width=width, joint="curve")
        elif kind == 1:
            draw.ellipse((x0, y0, x1 + width, y1 + width), fill=filled, outline=255, width=width)
        elif kind == 2:
            draw.rounded_rectangle(
                (x0, y0, x1 + width, y1 + width), width, fill=filled, outline=255, width=width
            )
        elif kind == 3:
            start = int(rng.integers(360))
            draw.arc((x0, y0, x1 + width, y1 + width), start, start + 200, fill=255, width=width)
        else:
            draw.polygon(points + points[:1], fill=filled, outline=255, width=width)
    return np.array(image.resize((size, size), Image.Resampling.BOX), np.uint8)


def _outline(name: str) -> list[tuple[float, float]]:
    """Corners within the unit circle, y down."""
    if name == "square":
        return [(-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7)]
    if name == "triangle":
        return [(0, -0.95), (0.87, 0.6), (-0.87, 0.6)]
    if name == "diamond":
        return [(0, -0.97), (0.68, 0), (0, 0.97), (-0.68, 0)]
    if name == "cross":
        w, r = 0.28, 0.9
        return [
            (-w, -r), (w, -r), (w, -w), (r, -w), (r, w), (w, w), (w, r), (-w, r), (-w, w), (-r, w), (-r, -w), (-w, -w),
        ]  # fmt: skip
    corners = []
    for corner in range(10):
        radius = 0.98 if corner % 2 == 0 else 0.42
        turn = math.pi * corner / 5
        corners.append((radius * math.sin(turn), -radius * math.cos(turn)))
    return corners
