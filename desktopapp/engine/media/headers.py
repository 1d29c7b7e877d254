"""What attached files hold, read from their headers once and remembered for as long as they do not change."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from desktopapp.engine.media.attachment import OpenMedia, open_media
from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.media.pixel_budget import visual_tokens
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.video_grid import video_tokens
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget
from desktopapp.engine.request import Attachment

MOST_HEADERS = 2000
# Some file systems count time in steps of two seconds, so a second change could hide behind the first one's time.
_SETTLED_S = 3.0

_Key: TypeAlias = tuple[str, MediaSelection]
_Stamp: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """A usable file.

    Args:
        kind: what it is.
        sizes: (width, height) in pixels of a picture, of each chosen page, or of a video's frames.
        frames: of a video, those that are sampled.
        duration_s: of a video.
        page_count: of a whole document.
        note: what the person should know of how it is read, or empty.
    """

    kind: MediaKind
    sizes: tuple[tuple[int, int], ...]
    frames: int = 0
    duration_s: float = 0.0
    page_count: int = 0
    note: str = ""

    @classmethod
    def of(cls, media: OpenMedia) -> MediaHeader:
        """Of an open file."""
        if media.video is not None:
            video = media.video
            size = (video.width, video.height)
            return cls(
                media.kind, (size,), len(video.frame_times_s), video.duration_s, media.page_count, video.note
            )
        sizes = tuple((picture.width, picture.height) for picture in media.pictures)
        return cls(media.kind, sizes, page_count=media.page_count, note=media.pictures[0].note)

    def tokens(self, pictures: PixelBudget, videos: VideoBudget) -> int:
        """Visual tokens of all of it.

        Args:
            pictures: budget of a picture or page.
            videos: budget of a video.
        """
        if self.frames:
            ((width, height),) = self.sizes
            return video_tokens(width, height, self.frames, videos)
        return sum(visual_tokens(width, height, pictures) for width, height in self.sizes)


class HeaderCache:
    """Reads headers; a file that is unchanged by place, size and time is not opened again. Used from one thread.

    Args:
        open_file: opens a file, see `attachment.open_media`.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        open_file: Callable[[str, MediaSelection], OpenMedia] = open_media,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._open_file = open_file
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[_Stamp, MediaHeader]] = OrderedDict()

    def read(self, attachment: Attachment) -> MediaHeader:
        """The header of a file.

        Raises:
            AttachmentError: it cannot be used.
        """
        key = (attachment.path, attachment.selection)
        stamp = self._stamp(attachment.path)
        known = self._known.get(key)
        if known is not None and known[0] == stamp:
            self._known.move_to_end(key)
            return known[1]
        media = self._open_file(attachment.path, attachment.selection)
        try:
            header = MediaHeader.of(media)
        finally:
            media.close()
        if stamp is not None:
            self._known[key] = (stamp, header)
            self._known.move_to_end(key)
            if len(self._known) > MOST_HEADERS:
                self._known.popitem(last=False)
        return header

    def _stamp(self, path: str) -> _Stamp | None:
        """Changes when the file does; None where that is not sure."""
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return None
        if abs(self._clock() - status.st_mtime) < _SETTLED_S:
            return None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
