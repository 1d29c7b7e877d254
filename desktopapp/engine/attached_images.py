"""The pictures of a request: opened in order, decoded by the backend, and the bad one among them named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.image import ImageFile, open_image
from desktopapp.engine.request import Turn

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

_SETTLED_S = 3.0


class AttachedImages:
    """All pictures of a conversation."""

    def __init__(self) -> None:
        self.images: list[AttachedImage] = []
        self.at_fault = ""
        """Path of the attachment that could not be read, or empty."""

    def open(self, turns: Sequence[Turn], cancel: CancelToken) -> None:
        """Read the header of every attachment.

        Raises:
            AttachmentError: one cannot be used.
            Cancelled: the token was set.
        """
        for turn in turns:
            for attachment in turn.attachments:
                cancel.raise_if_cancelled()
                self.at_fault = attachment.path
                self.images.append(AttachedImage(open_image(attachment.path), self))
        self.at_fault = ""


class AttachedImage:
    """One picture, an `ImageSource` for backends. See `media.image.ImageFile` for the attributes."""

    def __init__(self, file: ImageFile, owner: AttachedImages) -> None:
        self.path = file.path
        self.width = file.width
        self.height = file.height
        self.note = file.note
        self._file = file
        self._owner = owner

    def version(self) -> str | None:
        """See `VersionedImage`: the file's place, size and time of change.

        None for a file that changed within the last seconds: some file systems tell time in steps of two
        seconds, so a second change could hide behind the first one's time.
        """
        try:
            status = Path(self.path).stat()
        except OSError:
            return None
        if abs(time.time() - status.st_mtime) < _SETTLED_S:
            return None
        return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{self.path}"

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255.

        Raises:
            AttachmentError: it cannot be read any more.
        """
        self._owner.at_fault = self.path
        pixels = self._file.decode()
        self._owner.at_fault = ""
        return pixels
