"""Paints the plans of a whole batch at once, on the GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from models.pocket.glyphs import SHAPE_NAMES, Atlas
from models.pocket.scene import COLOURS
from models.pocket.shape import CELL_PX

# A cell's characters are told apart by where they stand in it: 6 columns, 3 rows.
SLOT_COLUMNS, SLOT_ROWS = 6, 3
SLOTS = SLOT_COLUMNS * SLOT_ROWS
# Nothing, or a shape's kind and colour.
SHAPE_LABELS = 1 + len(SHAPE_NAMES) * len(COLOURS)
# Difference of two states of a pixel, of -1..1, that is a change and no noise.
_CHANGE_THRESHOLD = 0.35


class Renderer:
    """Paints batches.

    Args:
        atlas: the masks that the batches speak of.
        device: that paints.
        compiled: fuse the passes over all pixels; worth it on a GPU only.
    """

    def __init__(self, atlas: Atlas, device: torch.device, *, compiled: bool) -> None:
        self._pixels = torch.from_numpy(atlas.pixels.copy()).to(device)
        self._start = torch.from_numpy(atlas.start.copy()).to(device)
        self._width = torch.from_numpy(atlas.width.astype("int32")).to(device)
        self._height = torch.from_numpy(atlas.height.astype("int32")).to(device)
        self._first_shape = atlas.shape_mask(0, 0, 0)
        self._masks_a_kind = atlas.shape_mask(1, 0, 0) - self._first_shape
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._lay: Callable[[Tensor, Tensor], Tensor] = _lay
        self._soften: Callable[[Tensor, Tensor], Tensor] = _soften
        self._finish: Callable[..., Tensor] = _finish
        if compiled:
            self._lay = torch.compile(_lay, dynamic=True)
            self._soften = torch.compile(_soften, dynamic=True)
            self._finish = torch.compile(_finish, dynamic=True)

    @torch.no_grad()
    def render(self, batch: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        """Paint, disturb, resize, normalise.

        Args:
            batch: of `make_batch`, on the device but for its `size`.
            generator: of noise and blur, on the device.

        Returns:
            (pictures, 3, H, W), -1..1, float16 on a GPU and float32 elsewhere.
        """
        height, width, made_height, made_width = batch["size"].tolist()
        count = len(batch["backgrounds"])
        pictures = _paint_background(batch["backgrounds"], made_height, made_width, self._dtype)
        _paint_rectangles(pictures, batch["rectangles"])
        for marks in (batch["shapes"], batch["glyphs"]):
            if len(marks):
                pictures = self._lay(pictures, self._blit(marks, count, made_height, made_width))
        states = 2 if "pairs" in batch else 1

        def draw() -> Tensor:
            drawn = torch.rand(count // states, 1, 1, 1, device=pictures.device, generator=generator)
            return drawn.to(self._dtype).repeat_interleave(states, 0)

        pictures = self._soften(pictures, draw())
        noise = torch.empty_like(pictures).normal_(generator=generator)
        pictures = self._finish(pictures, noise, draw(), draw(), draw())
        if (height, width) != (made_height, made_width):
            pictures = functional.interpolate(pictures, (height, width), mode="bicubic", antialias=True)
            pictures = pictures.clamp(-1, 1)
        return pictures

    def shape_labels(self, batch: dict[str, Tensor]) -> Tensor:
        """Which shape has its middle in each cell: int64 (pictures, cells), 0 for none."""
        height, width, made_height, made_width = batch["size"].tolist()
        rows, columns = height // CELL_PX, width // CELL_PX
        shapes = batch["shapes"].long()
        mask = shapes[:, 3]
        x = (shapes[:, 1] + self._width[mask] / 2) * columns / made_width
        y = (shapes[:, 2] + self._height[mask] / 2) * rows / made_height
        cell = y.long().clamp(0, rows - 1) * columns + x.long().clamp(0, columns - 1)
        kind = (mask - self._first_shape) // self._masks_a_kind
        labels = torch.zeros(len(batch["backgrounds"]), rows * columns, dtype=torch.long, device=mask.device)
        labels[shapes[:, 0], cell] = 1 + kind * len(COLOURS) + shapes[:, 7]
        return labels

    def _blit(self, marks: Tensor, count: int, height: int, width: int) -> Tensor:
        """Masks put down: coverage (7 bits) above red, green, blue; the densest wins where some overlap.

        Args:
            marks: (masks, 7 or more) int32: picture, left, top, mask, red, green, blue.
            count: pictures.
            height: of them, px.
            width: of them, px.

        Returns:
            int32 (pictures, H, W).
        """
        mask = marks[:, 3].long()
        mask_width = self._width[mask]
        sizes = mask_width * self._height[mask]
        owner = torch.repeat_interleave(torch.arange(len(marks), device=marks.device), sizes)
        ends = sizes.cumsum(0, dtype=torch.int64)
        offset = torch.arange(len(owner), device=marks.device) - (ends - sizes)[owner]
        x = marks[:, 1][owner] + (offset % mask_width[owner])
        y = marks[:, 2][owner] + (offset // mask_width[owner])
        value = self._pixels[self._start[mask][owner] + offset].int()
        packed_colour = (marks[:, 4] << 16) | (marks[:, 5] << 8) | marks[:, 6]
        # The maximum keeps coverage and colour together, and stays positive.
        packed = ((value >> 1) << 24) | packed_colour[owner]
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        place = (marks[:, 0].long()[owner] * height + y) * width + x
        place = torch.where(inside, place, count * height * width)
        canvas = torch.zeros(count * height * width + 1, dtype=torch.int32, device=marks.device)
        canvas.scatter_reduce_(0, place, packed, "amax")
        return canvas[:-1].view(count, height, width)


def frame_pairs(states: Tensor, changes: Tensor, pairs: int) -> Tensor:
    """Films that change once.

    Args:
        states: (2 x films, 3, H, W), each film's state before and after.
        changes: (films,) number of the first frame that shows the later state.
        pairs: of frames in a film.

    Returns:
        (films x pairs, 2, 3, H, W).
    """
    later = torch.arange(2 * pairs, device=states.device)[None] >= changes[:, None]
    films = torch.arange(len(changes), device=states.device)[:, None]
    frames = states[2 * films + later.long()]
    return frames.reshape(len(changes) * pairs, 2, *states.shape[1:])


def changed_cells(states: Tensor, changes: Tensor, pairs: int) -> Tensor:
    """Where films change, for each of their visual tokens.

    Args:
        states: as for `frame_pairs`.
        changes: likewise.
        pairs: likewise.

    Returns:
        int64 (films, pairs x cells): 1 in the changed cells of a pair that changes within, 2 in those of a pair that
        differs from the one before, else 0.
    """
    films = len(changes)
    apart = (states[0::2].float() - states[1::2].float()).abs().amax(1)
    cells = functional.max_pool2d(apart, CELL_PX).flatten(1) > _CHANGE_THRESHOLD
    pair = torch.arange(pairs, device=states.device)[None]
    kind = torch.where(pair == changes[:, None] // 2, 2 - changes[:, None] % 2, 0)
    return (kind[:, :, None] * cells[:, None]).reshape(films, -1)


def slot_labels(batch: dict[str, Tensor]) -> Tensor:
    """Which character stands in each slot of each cell: int64 (pictures, cells, 18), 0 for none, else code - 31."""
    height, width, made_height, made_width = batch["size"].tolist()
    glyphs = batch["glyphs"][batch["glyphs"][:, 7] > 0]
    rows, columns = height // CELL_PX, width // CELL_PX
    x = (glyphs[:, 8].float() + 0.5) * (columns * SLOT_COLUMNS / made_width)
    y = (glyphs[:, 9].float() + 0.5) * (rows * SLOT_ROWS / made_height)
    x, y = x.long().clamp(0, columns * SLOT_COLUMNS - 1), y.long().clamp(0, rows * SLOT_ROWS - 1)
    cell = (y // SLOT_ROWS) * columns + x // SLOT_COLUMNS
    slot = (y % SLOT_ROWS) * SLOT_COLUMNS + x % SLOT_COLUMNS
    labels = torch.zeros(len(batch["backgrounds"]), rows * columns, SLOTS, dtype=torch.long, device=x.device)
    labels[glyphs[:, 0].long(), cell, slot] = glyphs[:, 7].long() + 1
    return labels


def _paint_background(backgrounds: Tensor, height: int, width: int, dtype: torch.dtype) -> Tensor:
    first, second = (
        backgrounds[:, :3].to(dtype)[..., None, None],
        backgrounds[:, 3:].to(dtype)[..., None, None],
    )
    down = torch.linspace(0, 1, height, device=backgrounds.device, dtype=dtype)[:, None]
    across = torch.linspace(0, 1, width, device=backgrounds.device, dtype=dtype)[None]
    upright = (backgrounds.sum(1) % 2 == 0)[:, None, None, None]
    mix = torch.where(upright, down, across)
    return first + (second - first) * mix


def _paint_rectangles(pictures: Tensor, rectangles: Tensor) -> None:
    """Fill rounded rectangles, rank by rank: in each rank a picture has one at most."""
    if not len(rectangles):
        return
    height, width = pictures.shape[-2:]
    y = torch.arange(height, device=pictures.device)[None, :, None] + 0.5
    x = torch.arange(width, device=pictures.device)[None, None] + 0.5
    for rank in range(int(rectangles[:, 1].max()) + 1):
        chosen = rectangles[rectangles[:, 1] == rank]
        if not len(chosen):
            continue
        owner = chosen[:, 0].long()
        x0, y0, x1, y1 = (chosen[:, column, None, None] for column in (2, 3, 4, 5))
        radius = torch.minimum(chosen[:, 9, None, None], torch.minimum(x1 - x0, y1 - y0) / 2)
        dx = (x - (x0 + x1) / 2).abs() - (x1 - x0) / 2 + radius
        dy = (y - (y0 + y1) / 2).abs() - (y1 - y0) / 2 + radius
        outside = (dx.clamp(min=0).square() + dy.clamp(min=0).square()).sqrt()
        distance = outside + torch.maximum(dx, dy).clamp(max=0) - radius
        coverage = (0.5 - distance).clamp(0, 1)[:, None]
        under = pictures[owner]
        pictures[owner] = (under + coverage * (chosen[:, 6:9, None, None] - under)).to(pictures.dtype)


def _lay(pictures: Tensor, canvas: Tensor) -> Tensor:
    """Lay a canvas of `Renderer._blit` over pictures (pictures, 3, H, W), 0..255."""
    coverage = (canvas >> 24)[:, None].to(pictures.dtype) / 127
    colour = torch.stack([(canvas >> shift) & 255 for shift in (16, 8, 0)], 1).to(pictures.dtype)
    return pictures + coverage * (colour - pictures)


def _soften(pictures: Tensor, drawn: Tensor) -> Tensor:
    """Blur half of the pictures; `drawn` is uniform, a value a picture."""
    blur = (drawn - 0.5).clamp(min=0) * 0.5
    for axis in (2, 3):
        last = pictures.shape[axis] - 1
        before = torch.cat([pictures.narrow(axis, 0, 1), pictures.narrow(axis, 0, last)], axis)
        after = torch.cat([pictures.narrow(axis, 1, last), pictures.narrow(axis, last, 1)], axis)
        pictures = pictures + blur * (before + after - 2 * pictures)
    return pictures


def _finish(pictures: Tensor, noise: Tensor, contrast: Tensor, shade: Tensor, strength: Tensor) -> Tensor:
    """Less contrast and some noise on half of the pictures each, whole steps of brightness, then -1..1."""
    gain = 1 - 0.5 * (contrast - 0.5).clamp(min=0)
    shift = torch.where(contrast > 0.5, (shade - 0.5) * 30, torch.zeros_like(shade))
    loud = ((strength - 0.5).clamp(min=0) * 2).square() * 14
    pictures = (pictures - 127.5) * gain + 127.5 + shift + noise * loud
    return pictures.clamp(0, 255).round() / 127.5 - 1
