"""Animated GIF and WebP files, taken as videos."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL.ImageFile import ImageFile as PillowImage

from desktopapp.attachment_errors import ImageDamaged
from desktopapp.engine.media.frame_times import FrameTimes, check_begin, sample_frames
from desktopapp.engine.media.free_memory import check_free
from desktopapp.engine.media.image import blamed_on_file, opened_image
from desktopapp.engine.media.image_format import ImageFormat
from desktopapp.engine.media.image_pixels import STRIPS_BYTES, to_rgb
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.still_frames import changing_frames

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

# Browsers show frames that claim less than 20 ms for a tenth of a second.
_SHORTEST_MS, _INSTEAD_MS = 20, 100
_MOST_FRAMES = 10_000

_PIXEL_BYTES = 16
"""Of the frame that is shown, those that it is laid on, and our array; measured, docs/memory.md. It does not grow with their
number."""


class AnimationFile:
    """The sampled frames of an animated picture; a `VideoSource` for backends.

    Args:
        path: of the file.
        selection: which part, and how many frames of it.

    Raises:
        AttachmentError: as `open_image`.
        AttachmentNeedsMemory: too little is free for its frames.
    """

    note = ""

    def __init__(self, path: str, selection: MediaSelection) -> None:
        self.path = path
        name = Path(path).name
        times_ms = [0.0]
        with opened_image(path) as (image, image_format), blamed_on_file(name):
            self.width, self.height = image.size
            self._check_free(name)
            for number in range(min(getattr(image, "n_frames", 1), _MOST_FRAMES)):
                image.seek(number)
                if image_format is ImageFormat.WEBP:  # whose decoder tells how long only then
                    image.load()
                shown_ms = float(image.info.get("duration", 0) or 0)
                times_ms.append(times_ms[-1] + (shown_ms if shown_ms >= _SHORTEST_MS else _INSTEAD_MS))
        self.duration_s = times_ms[-1] / 1000
        times = FrameTimes(np.array(times_ms[:-1]) / 1000, exact=True)
        if len(times_ms) > 2:  # a single frame is shown for good
            check_begin(self.duration_s, selection, name)
        self._samples: list[int] = sample_frames(times, selection).tolist()
        self._opened = ExitStack()
        self._image: PillowImage | None = None
        self.frame_times_s: tuple[float, ...] = tuple(times.times_s[self._samples].tolist())

    def decode(self, index: int) -> RgbArray:
        """The pixels of a sampled frame: uint8 (height, width, 3), RGB, 0..255, transparency on white.

        Raises:
            AttachmentError: it cannot be read (any more).
        """
        name = Path(self.path).name
        if self._image is None:
            self._check_free(name)
            self._image, _ = self._opened.enter_context(opened_image(self.path))
        with blamed_on_file(name):
            # The decoder goes on from its last frame; going back it begins anew.
            self._image.seek(self._samples[index])
            pixels = to_rgb(self._image)
        if pixels.shape != (self.height, self.width, 3):
            raise ImageDamaged(name=name)
        return pixels

    def leave_out_still(self, on_frame: Callable[[], None]) -> None:
        """Keep only frames that show something new; decodes all of them once.

        Args:
            on_frame: called before each frame; may raise to end it.
        """
        kept = changing_frames(self.frame_times_s, self.decode, on_frame)
        self._samples = [self._samples[index] for index in kept]
        self.frame_times_s = tuple(self.frame_times_s[index] for index in kept)

    def close(self) -> None:
        """Let go of the file."""
        self._image = None
        self._opened.close()

    def _check_free(self, name: str) -> None:
        check_free(self.width * self.height * _PIXEL_BYTES + STRIPS_BYTES, name)
