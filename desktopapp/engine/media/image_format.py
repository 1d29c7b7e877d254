"""Recognise a picture's format from its first bytes, so that only the decoder meant for it ever runs."""

from __future__ import annotations

import struct
from enum import Enum

HEAD_BYTES = 64
"""How much of a file `sniff_format` and `size_in_header` look at."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}


class ImageFormat(Enum):
    """The formats that are read."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    BMP = "BMP"
    TIFF = "TIFF"
    GIF = "GIF"
    AVIF = "AVIF"
    HEIF = "HEIC"


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"\xff\xd8\xff", ImageFormat.JPEG),
    (b"GIF87a", ImageFormat.GIF),
    (b"GIF89a", ImageFormat.GIF),
    (b"II*\0", ImageFormat.TIFF),
    (b"MM\0*", ImageFormat.TIFF),
    (b"II+\0", ImageFormat.TIFF),
    (b"MM\0+", ImageFormat.TIFF),
)


def sniff_format(head: bytes) -> ImageFormat | None:
    """The format that the first bytes announce.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of a shorter one.

    Returns:
        The format, or None for anything that is not one of them.
    """
    for signature, image_format in _SIGNATURES:
        if head.startswith(signature):
            return image_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    # “BM” alone also begins many texts; the size of the second header tells.
    if head[:2] == b"BM" and len(head) >= 18 and _u32(head, 14) in _BMP_HEADER_SIZES:
        return ImageFormat.BMP
    return _sniff_iso_media(head)


def _sniff_iso_media(head: bytes) -> ImageFormat | None:
    """AVIF and HEIC are ISO base media files: an `ftyp` box lists their brands (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] != b"ftyp" or len(head) < 16:
        return None
    box = head[: int.from_bytes(head[:4], "big")]
    brands = {box[8:12], *(box[start : start + 4] for start in range(16, len(box) - 3, 4))}
    if brands & _AVIF_BRANDS:
        return ImageFormat.AVIF
    return ImageFormat.HEIF if brands & _HEIF_BRANDS else None


def size_in_header(image_format: ImageFormat, head: bytes) -> tuple[int, int] | None:
    """Width and height where the format keeps them at a fixed place in its first bytes.

    Decoders refuse a zero side as if the file were no picture at all, and WebP's allocates its canvas
    when it is made: both want to be known before.

    Returns:
        (width, height) as written, or None where they are not in `head`.
    """
    try:
        match image_format:
            case ImageFormat.PNG if head[12:16] == b"IHDR":
                width, height = struct.unpack_from(">II", head, 16)
            case ImageFormat.GIF:
                width, height = struct.unpack_from("<HH", head, 6)
            case ImageFormat.BMP if _u32(head, 14) >= 40:
                width, height = struct.unpack_from("<ii", head, 18)
            case ImageFormat.WEBP if head[12:16] == b"VP8X":
                width = int.from_bytes(head[24:27], "little") + 1
                height = int.from_bytes(head[27:30], "little") + 1
            case _:
                return None
    except struct.error:
        return None
    return abs(width), abs(height)


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
