"""Small pictures of files for the window, made where hostile files are read anyway: in the engine's process."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from desktopapp.engine.events import PreviewRead
from desktopapp.engine.media.animation import AnimationFile
from desktopapp.engine.media.attachment import OpenMedia, open_media
from desktopapp.engine.media.video import VideoFile
from desktopapp.engine.request import Attachment

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

SIDE_RANGE_PX = (16, 2048)


def read_previews(attachment: Attachment, positions: Sequence[float], side_px: int) -> Iterator[PreviewRead]:
    """Decode small versions of a picture, of pages, or of moments of a video.

    Args:
        attachment: the file.
        positions: of a document page numbers, of a video seconds; of a picture they mean nothing. 0 is the
            first page of the chosen range, or the begin of the chosen part.
        side_px: longest side of a preview.

    Yields:
        One event for each position that can be read.

    Raises:
        AttachmentError: the file cannot be used.
    """
    side_px = min(max(side_px, SIDE_RANGE_PX[0]), SIDE_RANGE_PX[1])
    media = open_media(attachment.path, attachment.selection)
    try:
        for position in positions:
            pixels = _pixels_at(media, attachment, position)
            if pixels is not None:
                duration_s = media.video.duration_s if media.video is not None else 0.0
                yield _preview(attachment.path, position, pixels, side_px, duration_s)
    finally:
        media.close()


def _pixels_at(media: OpenMedia, attachment: Attachment, position: float) -> RgbArray | None:
    if isinstance(media.video, VideoFile):
        return media.video.decode_at(position or media.video.frame_times_s[0])
    if isinstance(media.video, AnimationFile):
        times = np.array(media.video.frame_times_s)
        return media.video.decode(int(np.abs(times - position).argmin()))
    if media.page_count:
        number = int(position) or attachment.selection.first_page
        pages = [page for page in media.pictures if getattr(page, "number", 0) == number]
        return pages[0].decode() if pages else None
    return media.pictures[0].decode()


def _preview(path: str, position: float, pixels: RgbArray, side_px: int, duration_s: float) -> PreviewRead:
    picture = Image.fromarray(pixels)
    picture.thumbnail((side_px, side_px), Image.Resampling.BOX, reducing_gap=None)
    encoded = base64.b64encode(picture.tobytes()).decode("ascii")
    height, width = pixels.shape[:2]
    return PreviewRead(path, position, picture.width, picture.height, encoded, width, height, duration_s)
