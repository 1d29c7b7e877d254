"""Picture files for tests of the decoder."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from desktopapp.engine.media.image import open_image

Save = Callable[..., str]


def quadrants(mode: str = "RGB") -> Image.Image:
    """48 x 32: red, green over blue, white; tells every orientation from the others."""
    picture = Image.new("RGB", (48, 32))
    colours = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
    for index, colour in enumerate(colours):
        left, top = index % 2 * 24, index // 2 * 16
        picture.paste(colour, (left, top, left + 24, top + 16))
    return picture.convert(mode)


def pixels(path: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    opened = open_image(path)
    decoded = opened.decode()
    assert decoded.dtype == np.uint8
    assert decoded.shape == (opened.height, opened.width, 3)
    assert decoded.flags.c_contiguous
    assert decoded.flags.writeable
    return decoded


def png(
    colour_type: int, depth: int, width: int, height: int, rows: bytes, *extra: tuple[bytes, bytes]
) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    middle = b"".join(chunk(*one) for one in extra)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + middle
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def half_transparent(mode: str) -> Image.Image:
    """Left half black and opaque, right half black and transparent."""
    picture = Image.new("RGBA", (8, 4), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (4, 0, 8, 4))
    return picture.convert(mode)


def tiff16(photometric: int, bits: int, samples: list[int]) -> bytes:
    entries = [(256, len(samples)), (257, 1), (258, bits), (259, 1), (262, photometric), (277, 1), (278, 1)]
    data = struct.pack(f"<{len(samples)}H", *samples)
    offset = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(273, offset), (279, len(data))]
    directory = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0) + data
