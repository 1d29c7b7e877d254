"""Options of `ask` that choose pages of documents and seconds of videos; they count for every `--attach`."""

from __future__ import annotations

import argparse

from desktopapp.engine.media.selection import DEFAULT_DPI, DEFAULT_FPS, DPI_RANGE, MOST_FRAMES
from desktopapp.engine.media.selection_text import parse_pages, parse_time

_FPS_RANGE = (0.01, 60.0)


def add_media_options(parser: argparse.ArgumentParser) -> None:
    """Add them, each with a default that takes all of a file."""
    documents = parser.add_argument_group("documents", "for every PDF that is attached")
    documents.add_argument(
        "--pages", type=_pages, default=(1, None), metavar="RANGE", help="3, 3-7 or 3-; all by default"
    )
    documents.add_argument(
        "--dpi",
        type=_dpi,
        metavar="N",
        help=f"sharpness of the pages, in dots per inch; {DEFAULT_DPI} by default",
    )
    documents.add_argument("--password", metavar="TEXT", help="opens a locked document")
    documents.add_argument(
        "--page-text", action="store_true", help="send the text that the pages hold as well"
    )
    videos = parser.add_argument_group("videos", "for every video that is attached")
    videos.add_argument(
        "--from", dest="start", type=_time, default=0.0, metavar="TIME", help="1:02:03 or 7.5 (seconds)"
    )
    videos.add_argument(
        "--to", dest="end", type=_time, metavar="TIME", help="likewise; to the end by default"
    )
    videos.add_argument(
        "--fps",
        type=_fps,
        default=DEFAULT_FPS,
        metavar="N",
        help=f"frames per second; {DEFAULT_FPS:g} by default",
    )
    videos.add_argument("--frames", type=_frames, metavar="N", help="this many frames in all instead")
    videos.add_argument("--merge-still", action="store_true", help="leave out frames that hardly change")
    videos.add_argument("--as-video", action="store_true", help="treat animated GIF and WebP files as videos")


def _pages(text: str) -> tuple[int, int | None]:
    pages = parse_pages(text, page_count=0)
    if pages is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no range of pages; write 3, 3-7 or 3-")
    return pages


def _time(text: str) -> float:
    seconds = parse_time(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"“{text}” is no time; write 1:02:03 or 7.5")
    return seconds


def _dpi(text: str) -> int:
    return int(_number(text, *DPI_RANGE))


def _fps(text: str) -> float:
    return _number(text, *_FPS_RANGE)


def _frames(text: str) -> int:
    return int(_number(text, 1, MOST_FRAMES))


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"“{text}” is no number from {least:g} to {most:g}")
    return number
