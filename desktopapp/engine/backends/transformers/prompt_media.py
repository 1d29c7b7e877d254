"""Pictures and pairs of video frames in a prompt, decoded when their turn comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktopapp.engine.prompt_parts import ImageSource, VersionedImage, VideoSource

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray


@dataclass(frozen=True, slots=True)
class PromptImage:
    """A picture, or a pair of frames that is one picture in time, and the tokens that its features replace.

    Args:
        frames: where its pixels come from: one for a picture or an odd last frame, or two.
        width: that they are resized to, pixels.
        height: likewise.
        start: its first token.
        end: one behind its last token.
        media: of the picture or video that it is part of, pictures and videos counted together from 0.
        media_tokens: visual tokens of that picture or video, told with its last part; 0 for the other parts.
    """

    frames: tuple[ImageSource, ...]
    width: int
    height: int
    start: int
    end: int
    media: int
    media_tokens: int

    @property
    def source_pixels(self) -> int:
        """That are decoded."""
        return sum(frame.width * frame.height for frame in self.frames)

    def version(self) -> str | None:
        """A name for its present pixels, see `VersionedImage`."""
        names = [frame.version() if isinstance(frame, VersionedImage) else None for frame in self.frames]
        return None if None in names else "|".join(str(name) for name in names)


class VideoFrame:
    """One sampled frame, an `ImageSource`.

    Args:
        video: that it is part of.
        index: in `frame_times_s`.
    """

    def __init__(self, video: VideoSource, index: int) -> None:
        self.path = video.path
        self.width = video.width
        self.height = video.height
        self._video = video
        self._index = index

    def decode(self) -> RgbArray:
        """See `VideoSource.decode`."""
        return self._video.decode(self._index)

    def version(self) -> str | None:
        """See `VersionedImage`: of the video, with the frame's time."""
        version = self._video.version() if isinstance(self._video, VersionedImage) else None
        return f"{version}@{self._video.frame_times_s[self._index]}" if version else None
