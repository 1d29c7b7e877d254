"""What a drop or a paste brings: files, a bitmap, or text."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

IMAGE_SUFFIXES = frozenset(
    (
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".gif",
        ".avif",
        ".heic",
        ".heif",
    )
)
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"))
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES | {".pdf"}
MOST_ATTACHMENTS = 100
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came in; one of the three is filled.

    Args:
        paths: local files and folders, in the order given.
        image: a bitmap without a file.
        text: plain text.
        remote: there were addresses of other computers, which are never fetched.
    """

    paths: tuple[str, ...] = ()
    image: QImage | None = None
    text: str = ""
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Expanded:
    """Files after folders were opened.

    Args:
        paths: absolute.
        empty_folders: folders in which nothing to attach was found.
        unread_folders: folders that could not be opened, or not to their end.
        left_out: how many more there were than may be attached.
    """

    paths: tuple[str, ...]
    empty_folders: tuple[str, ...] = ()
    unread_folders: tuple[str, ...] = ()
    left_out: int = 0


def is_media(mime: QMimeData) -> bool:
    """True where `read_incoming` would give files or a bitmap."""
    return bool(_local_paths(mime)) or (mime.hasImage() and not mime.hasText())


def is_welcome(mime: QMimeData) -> bool:
    """True where `read_incoming` would give anything."""
    return mime.hasUrls() or mime.hasImage() or mime.hasText()


def read_incoming(mime: QMimeData) -> Incoming:
    """Read a drop or the clipboard.

    Files go first: file managers add their names as text. Text goes before a bitmap: office programs add a
    picture of the text.
    """
    paths = _local_paths(mime)
    if paths:
        return Incoming(paths=paths)
    if mime.hasText() and not (mime.hasImage() and mime.hasUrls()):
        remote = mime.hasUrls() and not mime.text().strip()
        return Incoming(text=mime.text(), remote=remote)
    if mime.hasImage():
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Incoming(image=image)
    return Incoming(remote=mime.hasUrls())


def is_named_as_media(path: str) -> bool:
    """True where the name says that this is a file to attach, without a look at the disk."""
    return Path(path).suffix.casefold() in MEDIA_SUFFIXES


def is_folder(path: str | Path) -> bool:
    """True for a folder; what cannot be looked at, behind a locked folder or on a dead disk, counts as a file."""
    return os.path.isdir(path)  # noqa: PTH112  (`Path.is_dir` raises most of what a disk can answer)


def expand_folders(
    paths: Iterable[str], room: int = MOST_ATTACHMENTS, is_stopped: Callable[[], bool] = lambda: False
) -> Expanded:
    """Replace each folder by the pictures, videos and documents at its top level, in natural order (`2.png` before `10.png`).

    Args:
        paths: files and folders, also relative ones.
        room: how many more may be attached.
        is_stopped: asked at each file; after True what comes back is not complete.
    """
    found: list[str] = []
    empty: list[str] = []
    unread: list[str] = []
    given = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100  (must not resolve links)
    for path in dict.fromkeys(given):
        if not is_folder(path):
            found.append(str(path))
            continue
        try:
            inside = _media_in(path, room + len(given), is_stopped)
        except OSError:
            unread.append(str(path))
            continue
        found.extend(inside)
        if not inside:
            empty.append(str(path))
    unique = list(dict.fromkeys(found))
    return Expanded(tuple(unique[:room]), tuple(empty), tuple(unread), max(0, len(unique) - room))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which numbers inside names count as numbers."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in _DIGITS.split(name)
    ]


def _media_in(folder: Path, in_order: int, is_stopped: Callable[[], bool]) -> list[str]:
    """What of a folder can be attached: so many in natural order, the others behind them in any.

    Raises:
        OSError: the folder cannot be read.
    """
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_stopped():
                return []
            if _is_media_file(entry):
                names.append(entry.name)
    # To sort them all would hold Python's lock, and with it the window, for as long as that takes.
    first = heapq.nsmallest(in_order, names, key=natural_key)
    others = set(names).difference(first)
    return [str(folder / name) for name in (*first, *others)]


def _is_media_file(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not is_named_as_media(entry.name):
        return False
    try:
        return entry.is_file()
    except OSError:  # a link that leads round in a circle
        return False


def _local_paths(mime: QMimeData) -> tuple[str, ...]:
    return tuple(path for url in mime.urls() if (path := local_path(url)))


def local_path(url: QUrl) -> str:
    """The file that a `file:` URL names, byte for byte, also where its name is not UTF-8; else empty."""
    if not url.isLocalFile():
        return ""
    path = url.toLocalFile()
    if os.name == "posix" and "\ufffd" in path:
        return os.fsdecode(unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded)))
    return path
