"""The pictures of one prompt: told from earlier ones by their pixels, and decoded at most once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.prompt_media import PromptImage
from desktopapp.engine.backends.transformers.vision import shown_pixels
from desktopapp.engine.steps import StepClock

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

# Decoding and resizing, until one was measured.
_PIXELS_PER_S = 1e6


class PromptPictures:
    """Pictures of one prompt. Holds the pixels of one picture at most.

    Args:
        known: from earlier prompts; is added to.
        steps: told while a picture is decoded.
    """

    def __init__(self, known: KnownPixels, steps: StepClock) -> None:
        self._known = known
        self._steps = steps
        self._ids: dict[int, str] = {}
        self._held: tuple[int, list[RgbArray]] | None = None

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
            return self._decode(image)[1]
        self._ids[image.start] = known
        return known

    def take_pixels(self, image: PromptImage) -> tuple[list[RgbArray], str]:
        """The pixels of each frame, uint8 (height, width, 3), and their hash; they are not held any more.

        Raises:
            AttachmentError: it cannot be decoded.
        """
        held = self._held
        pixels, pixels_id = (
            (held[1], self._ids[image.start]) if held and held[0] == image.start else self._decode(image)
        )
        self._held = None
        return pixels, pixels_id

    def _decode(self, image: PromptImage) -> tuple[list[RgbArray], str]:
        self._held = None
        # Before the pixels: a change in between then belongs to a version that is never met again.
        version = image.version()
        with self._steps.step("pixels", image.source_pixels, _PIXELS_PER_S):
            pixels = [shown_pixels(frame.decode(), image.width, image.height) for frame in image.frames]
        digest = hashlib.blake2b(digest_size=16, key=b"%d" % image.width)
        for frame in pixels:
            digest.update(frame.data)
        pixels_id = digest.hexdigest()
        if version:
            self._known.remember(version, image, pixels_id)
        self._ids[image.start] = pixels_id
        self._held = image.start, pixels
        return pixels, pixels_id
