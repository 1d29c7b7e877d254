"""The pictures of one prompt: told from earlier ones by their pixels, and decoded at most once."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.prompt_media import PromptImage
from desktopapp.engine.backends.transformers.vision import shown_pixels
from desktopapp.engine.steps import StepClock

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

# Decoding and resizing, until one was measured.
_PIXELS_PER_S = 1e6


# The frames of a picture as the model is shown them, and their hash.
_Decoded: TypeAlias = "tuple[list[RgbArray], str]"


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A picture that is decoded in a thread: its first token, and its version before that began."""

    start: int
    version: str | None
    decoded: Future[_Decoded]


class PromptPictures:
    """Pictures of one prompt. Holds the pixels of one picture at most, and of the one that is decoded ahead.

    Args:
        known: from earlier prompts; is added to.
        steps: told while a picture is waited for.
    """

    def __init__(self, known: KnownPixels, steps: StepClock) -> None:
        self._known = known
        self._steps = steps
        self._ids: dict[int, str] = {}
        self._held: tuple[int, _Decoded] | None = None
        self._ahead: _Ahead | None = None
        self._thread = ThreadPoolExecutor(1, "pictures")

    def close(self) -> None:
        """Wait for what is decoded ahead and let it go."""
        self._ahead = None
        self._thread.shutdown(cancel_futures=True)

    def pixels_id(self, image: PromptImage) -> str:
        """Hash of the pixels that the model is shown; decodes the picture only where it must.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        known = self._ids.get(image.start)
        if known is None:
            version = image.version()
            known = self._known.get(version, image) if version else None
        if known is None:
            self._held = image.start, self._decode(image)
            return self._held[1][1]
        self._ids[image.start] = known
        return known

    def look_ahead(self, image: PromptImage) -> None:
        """Begin to decode, in a thread, the picture that `take_pixels` will be asked for next."""
        if self._held is None or self._held[0] != image.start:
            version = image.version()
            self._ahead = _Ahead(image.start, version, self._thread.submit(_decode, image))

    def take_pixels(self, image: PromptImage) -> _Decoded:
        """The pixels of each frame, uint8 (height, width, 3), and their hash; they are not held any more.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        held, self._held = self._held, None
        return held[1] if held and held[0] == image.start else self._decode(image)

    def _decode(self, image: PromptImage) -> _Decoded:
        self._held = None
        ahead, self._ahead = self._ahead, None
        if ahead and ahead.start == image.start:
            version = ahead.version
            # A name of its own: what is left to wait for says nothing about how long the next one takes.
            with self._steps.step(f"pixels {image.start}", image.source_pixels, _PIXELS_PER_S):
                decoded = ahead.decoded.result()
        else:
            # Before the pixels: a change in between then belongs to a version that is never met again.
            version = image.version()
            with self._steps.step("pixels", image.source_pixels, _PIXELS_PER_S):
                decoded = _decode(image)
        if version:
            self._known.remember(version, image, decoded[1])
        self._ids[image.start] = decoded[1]
        return decoded


def _decode(image: PromptImage) -> _Decoded:
    pixels = [shown_pixels(frame.decode(), image.width, image.height) for frame in image.frames]
    digest = hashlib.blake2b(digest_size=16, key=b"%d" % image.width)
    for frame in pixels:
        digest.update(frame.data)
    return pixels, digest.hexdigest()
