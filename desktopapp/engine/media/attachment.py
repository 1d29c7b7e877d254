"""One dropped file, whatever it is: the pictures or the video that the model is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from desktopapp.engine.media.animation import AnimationFile
from desktopapp.engine.media.document import PageImage, is_document, open_document
from desktopapp.engine.media.file import read_head
from desktopapp.engine.media.image import ImageFile, open_image
from desktopapp.engine.media.image_format import HEAD_BYTES, ImageFormat, sniff_format
from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.media.pixel_budget import visual_tokens
from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.media.video import VideoFile, open_video
from desktopapp.engine.media.video_format import sniff_video
from desktopapp.engine.media.video_grid import video_tokens
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget

Picture: TypeAlias = ImageFile | PageImage
Video: TypeAlias = VideoFile | AnimationFile

_ANIMATED = {ImageFormat.GIF, ImageFormat.WEBP}


@dataclass(slots=True)
class OpenMedia:
    """A file whose header was read and found usable.

    Args:
        kind: what it is.
        pictures: of a picture one, of a document its chosen pages.
        video: of a video, its sampled frames.
        page_count: of the whole document, or 0.
        close: lets go of the file.
    """

    kind: MediaKind
    pictures: tuple[Picture, ...] = ()
    video: Video | None = None
    page_count: int = 0
    close: Callable[[], None] = field(default=lambda: None)

    def tokens(self, picture_budget: PixelBudget, video_budget: VideoBudget) -> int:
        """Visual tokens of all of it."""
        if self.video is not None:
            frames = len(self.video.frame_times_s)
            return video_tokens(self.video.width, self.video.height, frames, video_budget)
        return sum(visual_tokens(one.width, one.height, picture_budget) for one in self.pictures)


def media_kind(head: bytes) -> MediaKind:
    """What a file is by its first bytes; what is nothing else counts as a picture, which then is refused.

    Args:
        head: from `file.read_head`.
    """
    if sniff_format(head[:HEAD_BYTES]) is not None:
        return MediaKind.PICTURE
    if sniff_video(head) is not None:
        return MediaKind.VIDEO
    return MediaKind.DOCUMENT if is_document(head) else MediaKind.PICTURE


def open_media(path: str, selection: MediaSelection = WHOLE) -> OpenMedia:
    """Open a file by its content, whatever its name says.

    Args:
        path: of the file.
        selection: which part of it, and how finely.

    Raises:
        AttachmentError: it cannot be used.
    """
    head = read_head(path)
    kind = media_kind(head)
    if kind is MediaKind.DOCUMENT:
        document, pages = open_document(path, selection)
        return OpenMedia(kind, pages, page_count=document.page_count, close=document.close)
    if kind is MediaKind.VIDEO:
        video = open_video(path, selection)
        return OpenMedia(kind, video=video, close=video.close)
    if selection.as_video and sniff_format(head[:HEAD_BYTES]) in _ANIMATED:
        animation = AnimationFile(path, selection)
        return OpenMedia(MediaKind.VIDEO, video=animation, close=animation.close)
    return OpenMedia(kind, (open_image(path),))
