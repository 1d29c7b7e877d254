"""Thumbnails and pasted bitmaps, worked on outside the window's thread."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

from desktopapp.ui.incoming import is_folder
from desktopapp.ui.pasted_pictures import save_pasted
from desktopapp.ui.reading_threads import ReadingThreads

THUMBNAIL_PX = 192  # of a side; the window shows it at a third of that, so it is sharp at 300 %
_MOST_FILE_BYTES = 256 * 2**20
_MOST_PIXELS = 120_000_000
# Formats decoded here; SVG and the like are documents with a much larger surface for hostile files.
_FORMATS = {b"png", b"jpeg", b"webp", b"bmp", b"tiff", b"gif"}
_DECODED_LIMIT_MB = 512


def read_thumbnail(path: str) -> QImage | None:
    """A small version of a picture, or None where it is broken, huge, or of a format not read here.

    Returns:
        At most `THUMBNAIL_PX` a side, EXIF orientation applied.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_FILE_BYTES:
        return None
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    if bytes(reader.format().data()) not in _FORMATS:
        return None
    size = reader.size()
    if not size.isValid() or size.isEmpty() or size.width() * size.height() > _MOST_PIXELS:
        return None
    if max(size.width(), size.height()) > THUMBNAIL_PX:
        small = size.scaled(QSize(THUMBNAIL_PX, THUMBNAIL_PX), Qt.AspectRatioMode.KeepAspectRatio)
        reader.setScaledSize(small.expandedTo(QSize(1, 1)))
    image = reader.read()
    return None if image.isNull() else image


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is at a path.

    Args:
        is_folder: then nothing else is told.
        size_bytes: -1 where it is gone.
        thumbnail: None where there is none.
    """

    is_folder: bool
    size_bytes: int = -1
    thumbnail: QImage | None = None


class ThumbnailLoader(QObject):
    """Runs both in threads of its own.

    Signals:
        loaded: path and its thumbnail (`QImage`).
        unread: path of a file that is no picture read here; the engine may know more of them.
        size_read: path and size of the file in bytes, -1 where it is gone.
        folder_found: path of what is a folder, though its name says otherwise.
        pasted: path of a bitmap and whether it could be saved.
    """

    loaded = Signal(str, QImage)
    unread = Signal(str)
    size_read = Signal(str, object)
    folder_found = Signal(str)
    pasted = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        QImageReader.setAllocationLimit(_DECODED_LIMIT_MB)
        self._reading = ReadingThreads(2, self)
        # Of its own: a pasted bitmap must not wait for a disk that does not answer.
        self._saving = QThreadPool(self)
        self._saving.setMaxThreadCount(1)
        self._closing = False

    def load(self, path: str) -> None:
        """Ask for a file's thumbnail and size."""
        self._reading.start(lambda: _look_at(path), lambda looked: self._tell(path, looked))

    def _tell(self, path: str, looked: _Looked) -> None:
        if looked.is_folder:
            self.folder_found.emit(path)
            return
        self.size_read.emit(path, looked.size_bytes)
        if looked.thumbnail is not None:
            self.loaded.emit(path, looked.thumbnail)
        else:
            self.unread.emit(path)

    def save(self, image: QImage, path: Path) -> None:
        """Save a pasted bitmap; not lost when the window closes meanwhile."""

        def work() -> None:
            saved = save_pasted(image, path)
            if not self._closing:
                self.pasted.emit(str(path), saved)

        self._saving.start(work)

    def close(self) -> None:
        """Wait for what is being saved, and a moment for what is being read; thumbnails that have not begun are dropped."""
        self._closing = True
        self._reading.close()
        self._saving.waitForDone()


def _look_at(path: str) -> _Looked:
    if is_folder(path):
        return _Looked(is_folder=True)
    return _Looked(False, _size_of(path), read_thumbnail(path))


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return -1
