"""The files of a request: opened in order, decoded by the backend, and the bad one among them named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.chat_prompt import ChatMedia
from desktopapp.engine.media.attachment import OpenMedia, Picture, Video, open_media
from desktopapp.engine.media.document import PageImage
from desktopapp.engine.prompt_parts import ImagePart, VideoPart, VideoSource
from desktopapp.engine.request import Attachment, Turn
from desktopapp.engine.shown_limits import ShownLimits

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

_SETTLED_S = 3.0


class AttachedMedia:
    """All pictures, pages and videos of a conversation."""

    def __init__(self) -> None:
        self.items: list[AttachedItem] = []
        """In the order of the prompt, which is how `ImageEvaluated` counts them."""
        self.by_turn: list[list[ChatMedia]] = []
        """What each turn shows."""
        self.at_fault = ""
        """Path of the attachment that could not be read, or empty."""
        self._opened: list[OpenMedia] = []
        self._is_open = False

    def open(self, turns: Sequence[Turn], cancel: CancelToken) -> None:
        """Read the header of every attachment.

        Raises:
            AttachmentError: one cannot be used.
            Cancelled: the token was set.
        """
        for turn in turns:
            shown: list[ChatMedia] = []
            for attachment in turn.attachments:
                cancel.raise_if_cancelled()
                self.at_fault = attachment.path
                opened = open_media(attachment.path, attachment.selection)
                self._opened.append(opened)
                shown += self._take(opened, attachment, cancel)
            self.by_turn.append(shown)
        self.at_fault = ""
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether `open` has run to its end."""
        return self._is_open

    @property
    def has_pictures(self) -> bool:
        """Whether there are pictures or pages among them."""
        return any(isinstance(item, AttachedImage) for item in self.items)

    def show(self, limits: ShownLimits) -> None:
        """Give every part the limits of a plan."""
        self.by_turn = [
            [replace(shown, part=_limited(shown.part, limits)) for shown in turn] for turn in self.by_turn
        ]

    def close(self) -> None:
        """Let go of all files."""
        for opened in self._opened:
            opened.close()
        self._opened.clear()

    def _take(self, opened: OpenMedia, attachment: Attachment, cancel: CancelToken) -> list[ChatMedia]:
        if opened.video is not None:
            if attachment.selection.merge_still:
                opened.video.leave_out_still(cancel.raise_if_cancelled)
            video = AttachedVideo(opened.video, self)
            self.items.append(video)
            return [ChatMedia(VideoPart(video))]
        shown = []
        for picture in opened.pictures:
            cancel.raise_if_cancelled()
            image = AttachedImage(picture, self)
            self.items.append(image)
            before, after = _page_words(picture, attachment) if isinstance(picture, PageImage) else ("", "")
            shown.append(ChatMedia(ImagePart(image), before, after))
        return shown


def _page_words(page: PageImage, attachment: Attachment) -> tuple[str, str]:
    """What stands before and behind a page's picture: its name, and its own text where that is wanted."""
    text = page.text() if attachment.selection.page_text else ""
    after = f"\nText of page {page.number}:\n{text}\n" if text else ""
    return f"Page {page.number} of {Path(page.path).name}: ", after


class AttachedImage:
    """One picture or page, an `ImageSource` for backends. See `media.image.ImageFile` for the attributes."""

    def __init__(self, picture: Picture, owner: AttachedMedia) -> None:
        self.path = picture.path
        self.width = picture.width
        self.height = picture.height
        self.note = picture.note
        self._picture = picture
        self._owner = owner

    def version(self) -> str | None:
        """See `VersionedImage`."""
        return _file_version(self.path, f"{self.page}:{self.width}x{self.height}")

    @property
    def page(self) -> int:
        """Number of a document's page, from 1; 0 for a picture."""
        return self._picture.number if isinstance(self._picture, PageImage) else 0

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255.

        Raises:
            AttachmentError: it cannot be read any more.
        """
        return self._decode(self._picture)

    def decode_finely(self, pixels: float) -> RgbArray:
        """The pixels, as `decode` has them, of a page in more of them where they are wanted.

        Args:
            pixels: that are wanted of the whole.

        Raises:
            AttachmentError: it cannot be read any more.
        """
        picture = self._picture
        if isinstance(picture, PageImage):
            picture = picture.enlarged(pixels)
        return self._decode(picture)

    def _decode(self, picture: Picture) -> RgbArray:
        self._owner.at_fault = self.path
        pixels = picture.decode()
        self._owner.at_fault = ""
        return pixels


class AttachedVideo:
    """One video, a `VideoSource` for backends."""

    def __init__(self, video: Video, owner: AttachedMedia) -> None:
        self.path = video.path
        self.width = video.width
        self.height = video.height
        self.frame_times_s = video.frame_times_s
        self._video = video
        self._owner = owner

    @property
    def note(self) -> str:
        """What the person should know of how it was read; a damaged end shows only then."""
        return self._video.note

    def version(self) -> str | None:
        """See `VersionedImage`; alike for all frames."""
        return _file_version(self.path, f"{self.width}x{self.height}")

    def decode(self, index: int) -> RgbArray:
        """The pixels of a sampled frame: uint8 (height, width, 3), RGB, 0..255.

        Raises:
            AttachmentError: it cannot be read any more.
        """
        self._owner.at_fault = self.path
        pixels = self._video.decode(index)
        self._owner.at_fault = ""
        return pixels


def _file_version(path: str, shown: str) -> str | None:
    """The file's place, size and time of change, and what is shown of it.

    None for a file that changed within the last seconds: some file systems tell time in steps of two
    seconds, so a second change could hide behind the first one's time.
    """
    try:
        status = Path(path).stat()
    except OSError:
        return None
    if abs(time.time() - status.st_mtime) < _SETTLED_S:
        return None
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{shown}:{path}"


class SomeFrames:
    """A video with some of its sampled frames, evenly taken.

    Args:
        video: all of it.
        most: frames to keep.
    """

    def __init__(self, video: VideoSource, most: int) -> None:
        count = len(video.frame_times_s)
        self._places = tuple(place * count // most for place in range(most))
        self._video = video
        self.path = video.path
        self.width = video.width
        self.height = video.height
        self.frame_times_s = tuple(video.frame_times_s[place] for place in self._places)

    def decode(self, index: int) -> RgbArray:
        """See `VideoSource.decode`."""
        return self._video.decode(self._places[index])


def _limited(part: ImagePart | VideoPart, limits: ShownLimits) -> ImagePart | VideoPart:
    if isinstance(part, ImagePart):
        return replace(part, pixel_budget=limits.pictures)
    video = part.video
    if limits.most_frames is not None and limits.most_frames < len(video.frame_times_s):
        video = SomeFrames(video, limits.most_frames)
    return replace(part, video=video, budget=limits.videos)


AttachedItem: TypeAlias = AttachedImage | AttachedVideo
