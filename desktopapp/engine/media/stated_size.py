"""The size of a video's frames as its container states it: known before FFmpeg, which decodes some of them to open it.

Sources: ISO/IEC 14496-12 (MP4, MOV), RFC 8794 and RFC 9559 (MKV, WebM), Microsoft's AVI RIFF File Reference.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, TypeAlias

from desktopapp.engine.media.file import open_regular_file
from desktopapp.engine.media.video_format import VideoFormat

_Part: TypeAlias = tuple[bytes, int, int]

_MOST_PARTS = 10_000
_SAMPLE_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
# Of a visual sample entry, behind the entry count and the head of a box: 6 reserved bytes, an index, 16 bytes that say nothing.
_ENTRY_SIZE_AT = 8 + 8 + 24
_SEGMENT, _TRACKS, _ENTRY, _VIDEO = b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\xe0"
_PIXEL_WIDTH, _PIXEL_HEIGHT = b"\xb0", b"\xba"
_AVI_HEAD_AT, _AVI_SIZE_AT = 24, 64


def stated_size(path: str, video_format: VideoFormat) -> tuple[int, int] | None:
    """Width and height of the largest track in pixels, before any rotation; None where the container does not say.

    Args:
        path: of the file.
        video_format: as `sniff_video` found it.

    Raises:
        AttachmentError: as `open_regular_file`.
    """
    with open_regular_file(path) as file:
        try:
            sizes = list(_READERS[video_format](file, os.fstat(file.fileno()).st_size))
        except (OSError, struct.error):
            return None
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


class _Walk:
    """Goes down into the parts of a container, as far as a whole one may take.

    Args:
        file: open.
        split: gives the parts of a stretch of it: name, begin of the content, end.
    """

    def __init__(self, file: BinaryIO, split: Callable[[BinaryIO, int, int], Iterator[_Part]]) -> None:
        self._file = file
        self._split = split
        self._left = _MOST_PARTS

    def within(self, names: Sequence[bytes], at: int, end: int) -> Iterator[tuple[int, int]]:
        """Begin and end of the parts of the last name, within those of the names before it."""
        for name, begin, following in self._split(self._file, at, end):
            self._left -= 1
            if self._left < 0:
                return
            if name == names[0]:
                if len(names) == 1:
                    yield begin, following
                else:
                    yield from self.within(names[1:], begin, following)


def _sizes_in_mp4(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    for begin, _ in _Walk(file, _boxes).within(_SAMPLE_ENTRIES, 0, end):
        file.seek(begin + _ENTRY_SIZE_AT)
        yield struct.unpack(">HH", file.read(4))


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[_Part]:
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            begin += 8
        following = min(at + size, end) if size else end
        if following < begin:
            return
        yield kind, begin, following
        at = following


def _sizes_in_matroska(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    for video in _Walk(file, _elements).within((_SEGMENT, _TRACKS, _ENTRY, _VIDEO), 0, end):
        found = {kind: (begin, last) for kind, begin, last in _elements(file, *video)}
        if _PIXEL_WIDTH in found and _PIXEL_HEIGHT in found:
            yield _number(file, *found[_PIXEL_WIDTH]), _number(file, *found[_PIXEL_HEIGHT])


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[_Part]:
    while at < end:
        file.seek(at)
        head = file.read(12)
        id_bytes = _length(head)
        size_bytes = _length(head[id_bytes:])
        if not id_bytes or not size_bytes or len(head) < id_bytes + size_bytes:
            return
        marked = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big")
        size = marked & ((1 << 7 * size_bytes) - 1)
        begin = at + id_bytes + size_bytes
        is_unknown = size == (1 << 7 * size_bytes) - 1
        following = end if is_unknown else min(begin + size, end)
        yield head[:id_bytes], begin, following
        at = following


def _length(head: bytes) -> int:
    """Bytes of a number of variable length, by its zero bits; 0 where there is none."""
    return 9 - head[0].bit_length() if head and head[0] else 0


def _number(file: BinaryIO, begin: int, end: int) -> int:
    file.seek(begin)
    return int.from_bytes(file.read(min(end - begin, 8)), "big")


def _sizes_in_avi(file: BinaryIO, _end: int) -> Iterator[tuple[int, int]]:
    head = file.read(_AVI_SIZE_AT + 8)
    if head[_AVI_HEAD_AT : _AVI_HEAD_AT + 4] == b"avih":
        yield struct.unpack_from("<II", head, _AVI_SIZE_AT)


_READERS = {
    VideoFormat.MP4: _sizes_in_mp4,
    VideoFormat.MATROSKA: _sizes_in_matroska,
    VideoFormat.AVI: _sizes_in_avi,
}
