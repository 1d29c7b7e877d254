"""A part of a picture or page, cut out of its own pixels rather than of what the model was shown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from desktopapp.engine.grounding.places import FULL
from desktopapp.engine.prompt_parts import PixelBudget

if TYPE_CHECKING:
    from desktopapp.engine.attached_media import AttachedImage
    from desktopapp.engine.backend import RgbArray

CROP_TOKENS = (256, 1280)
"""A part is shown with at least so many visual tokens (as in Qwen-Agent), enlarged where it has fewer, and at most so many."""

_LEAST_SIDE = 0.02
_LEAST_PX = 32
_ASPECT = 16


class CroppedImage:
    """A part of a picture, an `ImageSource` for backends. Cut out at once, so that it is small.

    Args:
        source: of which a part is wanted.
        box: x1, y1, x2, y2 within it, each 0..1000; tiny and very thin ones are widened.

    Raises:
        AttachmentError: the picture cannot be read any more.
    """

    def __init__(self, source: AttachedImage, box: tuple[float, ...]) -> None:
        self.path = source.path
        self.box = widen(box, source.width, source.height)
        part = (self.box[2] - self.box[0]) * (self.box[3] - self.box[1]) / FULL**2
        pixels = source.decode_finely(CROP_TOKENS[1] * PixelBudget().cell_px ** 2 / part)
        height, width = pixels.shape[:2]
        left, right = (round(side * width / FULL) for side in self.box[::2])
        top, bottom = (round(side * height / FULL) for side in self.box[1::2])
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        self._pixels: RgbArray = np.ascontiguousarray(pixels[top:bottom, left:right])
        self.height, self.width = self._pixels.shape[:2]
        self._version = source.version()

    def version(self) -> str | None:
        """See `VersionedImage`."""
        return self._version and f"{self._version}:{self.box}"

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255."""
        return self._pixels


def crop_budget(budget: PixelBudget, most_tokens: int = CROP_TOKENS[1]) -> PixelBudget:
    """How large a part is shown.

    Args:
        budget: of the pictures themselves, whose maximum holds for their parts as well.
        most_tokens: of the largest of them: more was not planned for; parts of smaller ones are shown as at least twice
            the least.
    """
    cell = budget.cell_px**2
    most = min(CROP_TOKENS[1], max(most_tokens, 2 * CROP_TOKENS[0]))
    largest = min(most * cell, budget.max_pixels)
    return PixelBudget(budget.cell_px, min(CROP_TOKENS[0] * cell, largest // 2), largest)


def widen(box: tuple[float, ...], width: int, height: int) -> tuple[float, float, float, float]:
    """A box that is large enough to be looked at, within the picture.

    Args:
        box: x1, y1, x2, y2, each 0..1000.
        width: of the picture in pixels.
        height: likewise.
    """
    sides = (width, height)
    wanted = [
        max(box[axis + 2] - box[axis], _LEAST_SIDE * FULL, _LEAST_PX / sides[axis] * FULL) for axis in (0, 1)
    ]
    for axis in (0, 1):
        other_px = wanted[1 - axis] * sides[1 - axis] / FULL
        wanted[axis] = min(FULL, max(wanted[axis], other_px / _ASPECT / sides[axis] * FULL))
    starts = []
    for axis in (0, 1):
        middle = (box[axis] + box[axis + 2]) / 2
        starts.append(min(max(0.0, middle - wanted[axis] / 2), FULL - wanted[axis]))
    x1, y1 = (math.floor(start * 10) / 10 for start in starts)
    x2, y2 = (
        min(FULL, math.ceil((start + side) * 10) / 10) for start, side in zip(starts, wanted, strict=True)
    )
    return x1, y1, x2, y2
