"""The pictures of one prompt: told from earlier ones by their pixels, and decoded at most once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from desktopapp.engine.backend import VersionedImage
from desktopapp.engine.backends.llama_cpp.prompt import ImagePiece, read_pixels
from desktopapp.engine.steps import StepClock

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

_MOST_KNOWN = 4096
# Decoding and resizing, until one was measured.
_PIXELS_PER_S = 1e6


class KnownPixels:
    """Which pixels a version of a picture has at which size: a few thousand are remembered."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, int, int], str] = OrderedDict()

    def get(self, version: str, piece: ImagePiece) -> str | None:
        """The id of its pixels, or None if it was not seen."""
        return self._ids.get((version, piece.width, piece.height))

    def remember(self, version: str, piece: ImagePiece, pixels_id: str) -> None:
        """Keep the id of a picture's pixels."""
        self._ids[version, piece.width, piece.height] = pixels_id
        if len(self._ids) > _MOST_KNOWN:
            self._ids.popitem(last=False)


class PromptImages:
    """Pictures of one prompt. Holds the pixels of one picture at most.

    Args:
        known: from earlier prompts; is added to.
        steps: told while a picture is decoded.
    """

    def __init__(self, known: KnownPixels, steps: StepClock) -> None:
        self._known = known
        self._steps = steps
        self._ids: dict[int, str] = {}
        self._held: tuple[int, RgbArray] | None = None

    def pixels_id(self, piece: ImagePiece) -> str:
        """Hash of the pixels that the model is shown; decodes the picture only where it must.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        known = self._ids.get(piece.index)
        if known is None:
            version = _version(piece)
            known = self._known.get(version, piece) if version else None
        if known is None:
            self._decode(piece)
            return self._ids[piece.index]
        self._ids[piece.index] = known
        return known

    def take_pixels(self, piece: ImagePiece) -> tuple[RgbArray, str]:
        """The pixels and their hash; they are not held any more.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        if self._held is None or self._held[0] != piece.index:
            self._decode(piece)
        held, self._held = self._held, None
        if held is None:
            raise RuntimeError("a picture was decoded and is not held")
        return held[1], self._ids[piece.index]

    def _decode(self, piece: ImagePiece) -> None:
        self._held = None
        # Before the pixels: a change in between then belongs to a version that is never met again.
        version = _version(piece)
        with self._steps.step("pixels", piece.image.width * piece.image.height, _PIXELS_PER_S):
            pixels = read_pixels(piece)
        pixels_id = hashlib.blake2b(pixels.data, digest_size=16, key=b"%d" % piece.width).hexdigest()
        if version:
            self._known.remember(version, piece, pixels_id)
        self._ids[piece.index] = pixels_id
        self._held = piece.index, pixels


def _version(piece: ImagePiece) -> str | None:
    return piece.image.version() if isinstance(piece.image, VersionedImage) else None
