"""The pictures and frames of one prompt: told from earlier ones by their pixels, and decoded at most once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.llama_cpp.prompt import FramePair, ImagePiece, read_pixels
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import VersionedImage
from desktopapp.engine.steps import StepClock

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

# Decoding and resizing, until one was measured.
_PIXELS_PER_S = 1e6


class PromptImages:
    """Pictures and pairs of frames of one prompt. Holds the pixels of one of them at most.

    Args:
        known: from earlier prompts; is added to.
        steps: told while a picture is decoded.
        cancel: read between frames.
    """

    def __init__(self, known: KnownPixels, steps: StepClock, cancel: CancelToken) -> None:
        self._known = known
        self._steps = steps
        self._cancel = cancel
        self._ids: dict[int, str] = {}
        self._held: tuple[int, tuple[RgbArray, ...]] | None = None

    def pixels_id(self, piece: ImagePiece) -> str:
        """Hash of the pixels that the model is shown; decodes the picture only where it must.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        known = self._ids.get(piece.number)
        if known is None:
            version = _version(piece)
            known = self._known.get(version, piece) if version else None
        if known is None:
            self._decode(piece)
            return self._ids[piece.number]
        self._ids[piece.number] = known
        return known

    def take_pixels(self, piece: ImagePiece) -> tuple[tuple[RgbArray, ...], str]:
        """The pixels, of one picture or two frames, and their hash; they are not held any more.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        if self._held is None or self._held[0] != piece.number:
            self._decode(piece)
        held, self._held = self._held, None
        if held is None:
            raise RuntimeError("a picture was decoded and is not held")
        return held[1], self._ids[piece.number]

    def _decode(self, piece: ImagePiece) -> None:
        self._held = None
        # Before the pixels: a change in between then belongs to a version that is never met again.
        version = _version(piece)
        with self._steps.step("pixels", _pixels_to_decode(piece), _PIXELS_PER_S):
            pixels = read_pixels(piece, self._cancel)
        # A frame shown twice is no picture.
        digest = hashlib.blake2b(digest_size=16, key=b"%d %d" % (piece.width, len(pixels)))
        for array in pixels:
            digest.update(array.data)
        if version:
            self._known.remember(version, piece, digest.hexdigest())
        self._ids[piece.number] = digest.hexdigest()
        self._held = piece.number, pixels


def _pixels_to_decode(piece: ImagePiece) -> int:
    if isinstance(piece.shown, FramePair):
        return piece.shown.video.width * piece.shown.video.height * len(piece.shown.frames)
    return piece.shown.width * piece.shown.height


def _version(piece: ImagePiece) -> str | None:
    if not isinstance(piece.shown, FramePair):
        return piece.shown.version() if isinstance(piece.shown, VersionedImage) else None
    video = piece.shown.video
    version = video.version() if isinstance(video, VersionedImage) else None
    if version is None:
        return None
    times_s = [video.frame_times_s[index] for index in piece.shown.frames]
    return f"{version} at {times_s}"
