"""Frames that hardly differ from the one before: a slide that stays for a minute is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from desktopapp.engine.backend import RgbArray

_SMALL = (96, 54)
# Differences of grey levels 0..255, measured between frames of one still shot after lossy coding: on average
# below 1, and in no small field above 10. A cursor or a new line of text changes one field by more.
_MEAN_CHANGE = 2.0
_FIELD_CHANGE = 14.0


def changing_frames(
    frames: Sequence[float], decode: Callable[[int], RgbArray], on_frame: Callable[[], None]
) -> list[int]:
    """Which frames show something new, the first one always among them.

    Args:
        frames: their times; only the number of them counts.
        decode: gives a frame.
        on_frame: called before each; may raise to end it.

    Returns:
        Indices, ascending.
    """
    kept: list[int] = []
    last: NDArray[np.float32] | None = None
    for index in range(len(frames)):
        on_frame()
        small = _small_grey(decode(index))
        if last is None or _differs(small, last):
            kept.append(index)
            last = small
    return kept


def _small_grey(pixels: RgbArray) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(pixels, _SMALL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def _differs(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    change = np.abs(first - second)
    return bool(change.mean() > _MEAN_CHANGE or change.max() > _FIELD_CHANGE)
