"""What a prompt consists of when a backend gets it: text, tokens, pictures, videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    RgbArray: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of the prompt.

    Args:
        text: Unicode.
        parse_special: the chat template's own text, in which `<|im_start|>` and the like are special tokens.
            False for text that a person or a document wrote, where the same characters are plain text.
    """

    text: str
    parse_special: bool = True


class ImageSource(Protocol):
    """A picture that can be decoded when its turn comes.

    Attributes:
        path: of the file, for messages.
        width: in pixels, after EXIF orientation.
        height: in pixels.
    """

    path: str
    width: int
    height: int

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255, contiguous.

        Raises:
            AttachmentError: it cannot be read (any more).
        """
        ...


@runtime_checkable
class VersionedImage(Protocol):
    """A picture or video that can tell whether it is the one of an earlier turn without being decoded."""

    def version(self) -> str | None:
        """A name for its present pixels: equal names, equal pixels. None where that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """How many pixels of a picture the model is shown.

    Args:
        cell_px: side of the square that one visual token covers (patch size times merge size).
        min_pixels: a smaller picture is enlarged to this.
        max_pixels: a larger picture is shrunk to this.
    """

    cell_px: int = 32
    min_pixels: int = 65_536
    max_pixels: int = 16_777_216

    def limited(self, min_tokens: int | None, max_tokens: int | None) -> PixelBudget:
        """This budget with other limits, in visual tokens; the smallest gives way to the largest.

        Args:
            min_tokens: of a picture, above zero; None keeps the limit.
            max_tokens: likewise.
        """
        cell = self.cell_px**2
        largest = self.max_pixels if max_tokens is None else max_tokens * cell
        smallest = self.min_pixels if min_tokens is None else min_tokens * cell
        return PixelBudget(self.cell_px, min(smallest, largest), largest)


@dataclass(frozen=True, slots=True)
class VideoBudget:
    """How many pixels of a video the model is shown.

    Args:
        cell_px: side of the square that one visual token covers.
        min_pixels: of all frames together; a smaller video is enlarged to this.
        max_pixels: of all frames together; a larger video is shrunk to this.
        max_frame_pixels: of one frame; None for no such limit, as in transformers.
    """

    cell_px: int = 32
    min_pixels: int = 4_096
    max_pixels: int = 25_165_824
    max_frame_pixels: int | None = None


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture in the prompt, in place of `<|vision_start|><|image_pad|><|vision_end|>`, those tokens included.

    Args:
        image: where its pixels come from.
        pixel_budget: how large it is shown to the model; None takes the loaded model's budget.
    """

    image: ImageSource
    pixel_budget: PixelBudget | None = None


@dataclass(frozen=True, slots=True)
class TokensPart:
    """What the model itself generated before, given back token by token: to go on from there.

    Text would not do: tokenised again it can become other tokens than those whose KV is kept.

    Args:
        token_ids: as `TokenAdded` told them.
    """

    token_ids: tuple[int, ...]


class VideoSource(Protocol):
    """The sampled frames of a video, decoded when their turn comes. It has at least one frame.

    Attributes:
        path: of the file, for messages.
        width: of each frame in pixels, turned upright.
        height: in pixels.
        frame_times_s: when each sampled frame is shown, in seconds from the video's begin, ascending.
    """

    path: str
    width: int
    height: int
    frame_times_s: tuple[float, ...]

    def decode(self, index: int) -> RgbArray:
        """The pixels of a sampled frame: uint8 (height, width, 3), RGB, 0..255, contiguous.

        Fast in ascending order; any order works.

        Args:
            index: in `frame_times_s`.

        Raises:
            AttachmentError: it cannot be read (any more).
        """
        ...


@dataclass(frozen=True, slots=True)
class VideoPart:
    """A video in the prompt, in place of `<|vision_start|><|video_pad|><|vision_end|>`, those tokens included.

    Each two frames become one picture in time: `<1.3 seconds>` with the mean of their times, then
    `<|vision_start|>`, a token for each cell, `<|vision_end|>`. An odd last frame stands for two.
    `media/video_grid.py` has the arithmetic for all backends.

    Args:
        video: where its frames come from.
        budget: for this video; None takes the model's.
    """

    video: VideoSource
    budget: VideoBudget | None = None


PromptPart: TypeAlias = TextPart | ImagePart | VideoPart | TokensPart
