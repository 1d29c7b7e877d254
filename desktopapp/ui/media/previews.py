"""Small pictures from the engine's process, as Qt draws them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from desktopapp.engine.events import PreviewRead


def to_image(preview: PreviewRead) -> QImage:
    """The pixels of a preview; a null image where they are not as many as its size says."""
    try:
        data = base64.b64decode(preview.rgb, validate=True)
    except binascii.Error:
        return QImage()
    if preview.width < 1 or preview.height < 1 or len(data) != preview.width * preview.height * 3:
        return QImage()
    row_bytes = preview.width * 3
    # A copy: the image would otherwise point into the bytes, which nobody keeps.
    return QImage(data, preview.width, preview.height, row_bytes, QImage.Format.Format_RGB888).copy()
