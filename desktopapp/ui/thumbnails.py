"""Thumbnails and pasted bitmaps, worked on outside the window's thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

from desktopapp.ui.incoming import is_folder
from desktopapp.ui.pasted_pictures import save_pasted

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
        if Path(path).stat().st_size > _MOST_FILE_BYTES:
            return None
    except (OSError, ValueError):
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
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._closing = False

    def load(self, path: str) -> None:
        """Ask for a file's thumbnail and size."""

        def work() -> None:
            if self._closing:
                return
            if is_folder(path):
                self.folder_found.emit(path)
                return
            self.size_read.emit(path, _size_of(path))
            self._tell(path, read_thumbnail(path))

        self._pool.start(work)

    def _tell(self, path: str, image: QImage | None) -> None:
        if self._closing:
            return
        if image is not None:
            self.loaded.emit(path, image)
        else:
            self.unread.emit(path)

    def save(self, image: QImage, path: Path) -> None:
        """Save a pasted bitmap; not lost when the window closes meanwhile."""

        def work() -> None:
            saved = save_pasted(image, path)
            if not self._closing:
                self.pasted.emit(str(path), saved)

        self._pool.start(work)

    def close(self) -> None:
        """Wait for what runs; thumbnails that have not begun are dropped."""
        self._closing = True
        self._pool.waitForDone()


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return -1
