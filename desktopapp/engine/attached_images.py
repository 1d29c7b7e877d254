"""The pictures of a request: opened in order, decoded by the backend, and the bad one among them named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.image import ImageFile, open_image
from desktopapp.engine.request import Turn

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray


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

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255.

        Raises:
            AttachmentError: it cannot be read any more.
        """
        self._owner.at_fault = self.path
        pixels = self._file.decode()
        self._owner.at_fault = ""
        return pixels
