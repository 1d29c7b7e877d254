"""What a drop or a paste brings: files, a bitmap, or text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
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
MEDIA_SUFFIXES = IMAGE_SUFFIXES | {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".pdf"}
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
        left_out: how many more there were than may be attached.
    """

    paths: tuple[str, ...]
    empty_folders: tuple[str, ...] = ()
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


def expand_folders(paths: Iterable[str], room: int = MOST_ATTACHMENTS) -> Expanded:
    """Replace each folder by the pictures, videos and documents at its top level, in natural order (`2.png` before `10.png`).

    Args:
        paths: files and folders, also relative ones.
        room: how many more may be attached.
    """
    found: list[str] = []
    empty: list[str] = []
    for path in (Path(os.path.abspath(path)) for path in paths):  # noqa: PTH100  (must not resolve links)
        if not path.is_dir():
            found.append(str(path))
            continue
        inside = _media_in(path)
        found.extend(inside)
        if not inside:
            empty.append(str(path))
    unique = list(dict.fromkeys(found))
    return Expanded(tuple(unique[:room]), tuple(empty), max(0, len(unique) - room))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which numbers inside names count as numbers."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in _DIGITS.split(name)
    ]


def _media_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_media_file(entry)]
    except OSError:
        return []
    return [str(folder / name) for name in sorted(names, key=natural_key)]


def _is_media_file(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or Path(entry.name).suffix.casefold() not in MEDIA_SUFFIXES:
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
