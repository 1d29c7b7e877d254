"""Which part of a document or video is shown to the model, and how finely."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_DPI = 120
"""A4 costs 1,364 visual tokens at it; print of 9 points is read, and Qwen wants 1,024 for small text."""
DPI_RANGE = (24, 600)
DEFAULT_FPS = 2.0
"""What Qwen3-VL was trained with, as are the two limits below."""
LEAST_FRAMES = 4
MOST_FRAMES = 768


@dataclass(frozen=True, slots=True)
class MediaSelection:
    """What the person chose of one file; the defaults take all of it as Qwen3-VL samples it.

    Args:
        first_page: of a document, from 1.
        last_page: included; None is the document's last.
        dpi: dots an inch that pages are rendered at; None takes `DEFAULT_DPI`.
        password: of a locked document.
        page_text: a page's own text is given to the model beside its picture.
        start_s: first second of a video.
        end_s: last second; None is the video's end.
        fps: frames a second to sample, at least `LEAST_FRAMES`, at most `MOST_FRAMES` in all.
        frames: how many frames to sample instead; None follows `fps`.
        merge_still: frames that hardly differ from the one before are left out.
        as_video: an animated GIF or WebP is taken as a video, not as its first frame.
    """

    first_page: int = 1
    last_page: int | None = None
    dpi: int | None = None
    password: str | None = None
    page_text: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    fps: float = DEFAULT_FPS
    frames: int | None = None
    merge_still: bool = False
    as_video: bool = False


WHOLE = MediaSelection()
