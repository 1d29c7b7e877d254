"""Recognise a video's container from its first bytes.

FFmpeg would also take playlists and scripts, which name other files and addresses: those never reach it.
"""

from __future__ import annotations

from enum import Enum


class VideoFormat(Enum):
    """The containers that are read."""

    MP4 = "MP4 or MOV"
    MATROSKA = "MKV or WebM"
    AVI = "AVI"


# Boxes of ISO base media and QuickTime files that stand at their begin (ISO/IEC 14496-12, 4.2).
_FIRST_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
# Brands of still pictures and of sound, which are no videos.
_OTHER_BRANDS = {b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1", b"M4A ", b"M4B ", b"crx "}


def sniff_video(head: bytes) -> VideoFormat | None:
    """The container that the first bytes announce.

    Args:
        head: at least 16 of the first bytes, or all of a shorter file.

    Returns:
        The container, or None for anything else.
    """
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return VideoFormat.MATROSKA
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return VideoFormat.AVI
    if head[4:8] == b"ftyp" and len(head) >= 12:
        return None if head[8:12] in _OTHER_BRANDS else VideoFormat.MP4
    return VideoFormat.MP4 if head[4:8] in _FIRST_BOXES else None
