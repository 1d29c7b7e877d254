"""Pictures that came in through the clipboard: files of ours, so ours to remove."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage, QImageWriter

KEPT_S = 24 * 3600.0
"""A younger file stays in any case: another window may have pasted it just now."""


def new_pasted_path(folder: Path) -> Path:
    """A free name for a pasted bitmap."""
    return folder / f"{time.strftime('%Y-%m-%d %H.%M.%S')} {uuid.uuid4().hex[:6]}.png"


def save_pasted(image: QImage, path: Path) -> bool:
    """Write a bitmap as PNG so that the file is there whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = QImageWriter(str(partial), QByteArray(b"png"))
        # zlib level 1 for PNG: a 4K screenshot in a fraction of the default's time.
        writer.setCompression(10)
        if not writer.write(image):
            partial.unlink(missing_ok=True)
            return False
        partial.replace(path)
    except OSError:
        return False
    return True


def remove_unused(folder: Path, used: Collection[str]) -> None:
    """Remove the pasted pictures, whole or half written, that nothing names.

    Args:
        folder: that they are in; other files stay.
        used: paths that conversations and drafts name.
    """
    oldest_s = time.time() - KEPT_S
    with contextlib.suppress(OSError):  # what cannot be removed today can be tomorrow
        for file in folder.iterdir():
            is_ours = file.suffix == ".png" or file.name.endswith(".png.part")
            if is_ours and str(file) not in used and file.stat().st_mtime < oldest_s:
                file.unlink()
