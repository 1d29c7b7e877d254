"""Pictures that are rare and must be read, and pictures that must be refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, PngImagePlugin

from desktopapp.engine.media.selection import MediaSelection
from tests.media_case import Case

_SIZE = (96, 64)
_NAMES = {
    "line\nbreak.png": "a name of two lines",
    "\"quoted\" 'twice'.png": "quotes in its name",
    "<b>bold &amp; <img src=x>.png": "markup in its name",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627.png": "a name from right to left",
    "\u202egnp.exe.png": "a name that turns its direction",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 caf\u00e9 cafe\u0301.png": "emoji and both kinds of é in its name",
    "100% #1 ?a=b;c.png": "signs of addresses in its name",
    "-rf --help.png": "a name like an option",
    " leading and trailing .png": "spaces around its name",
    "\u5f88\u957f" * 40 + ".png": "a name of 80 Chinese characters",
    "tab\tand\x07bell.png": "control characters in its name",
}


def noise(size: tuple[int, int] = _SIZE) -> Image.Image:
    """A picture of random colours."""
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), np.uint8))


def rare_pictures(folder: Path) -> Iterator[Case]:
    """Sound ones that few programs write."""
    yield from _colours(folder)
    yield from _shapes(folder)
    yield from _moving(folder)
    for name, what in _NAMES.items():
        path = folder / name
        try:
            noise().save(path, "PNG")
        except OSError:  # a file system without such names
            continue
        yield Case(path, what, True)


def _colours(folder: Path) -> Iterator[Case]:
    path = folder / "phone.heic"
    pillow_heif.from_pillow(noise()).save(path)
    yield Case(path, "HEIC", True)
    path = folder / "deep.png"
    path.write_bytes(_png_of_16_bits())
    yield Case(path, "16 bits a channel", True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for name, icc in (("profile", profile), ("broken-profile", b"no profile at all" * 50)):
        path = folder / f"{name}.jpg"
        noise().save(path, icc_profile=icc)
        yield Case(path, f"{name} inside", True)
    path = folder / "ink.jpg"
    noise().convert("CMYK").save(path, progressive=True)
    yield Case(path, "CMYK, progressive", True)
    path = folder / "ghost.avif"
    noise().convert("RGBA").save(path)
    yield Case(path, "AVIF with transparency", True)
    path = folder / "few.png"
    noise().quantize(16).save(path, transparency=3)
    yield Case(path, "16 colours, one of them transparent", True)
    path = folder / "palette.tiff"
    noise().quantize(200).save(path, compression="tiff_lzw")
    yield Case(path, "palette in TIFF", True)


def _shapes(folder: Path) -> Iterator[Case]:
    for size in ((33, 35), (7680, 4320), (200, 1), (9_000, 9_000)):
        path = folder / f"odd-{size[0]}x{size[1]}.png"
        (Image.new("1", size, 1) if max(size) > 5_000 else noise(size)).save(path)
        yield Case(path, f"{size[0]} x {size[1]}", True)
    path = folder / "pages.tiff"
    noise().save(path, save_all=True, append_images=[noise((10, 500)), noise()])
    yield Case(path, "three pages in TIFF", True)
    path = folder / "panorama.tiff"
    noise().save(path, big_tiff=True)
    yield Case(path, "BigTIFF", True)
    path = folder / "talkative.png"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("comment", "x" * 3_000_000, zip=True)
    noise().save(path, pnginfo=notes)
    yield Case(path, "three million characters of comment", False)


def _moving(folder: Path) -> Iterator[Case]:
    frames = [noise(), noise().rotate(180), noise().rotate(30)]
    for name, options in (("apng.png", {}), ("lossless.webp", {"lossless": True}), ("once.gif", {"loop": 0})):
        path = folder / name
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=(0, 40, 1000), **options)
        for as_video in (False, True):
            kind = "as a video" if as_video else "as a picture"
            yield Case(path, f"animated {name}, {kind}", True, MediaSelection(as_video=as_video))
    still = folder / "still.gif"
    noise().save(still)
    yield Case(still, "one frame, as a video", True, MediaSelection(as_video=True))


def refused_pictures(folder: Path) -> Iterator[Case]:
    """Formats that are not read, and bombs."""
    contents = {
        "icon.ico": _saved("ICO"),
        "page.jp2": _saved("JPEG2000"),
        "drawing.psd": b"8BPS\0\1" + bytes(200),
        "next.jxl": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200),
        "raw.cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(200),
        "hollow.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        "hollow.avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(200),
        "sound.m4a": b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom" + bytes(200),
        "screen.gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(20),
        "wide.bmp": b"BM"
        + bytes(12)
        + struct.pack("<IiiHHI", 40, 2**31 - 1, -(2**31 - 1), 1, 24, 0)
        + bytes(20),
        "strip.png": _saved("PNG", (4_100, 2)),
    }
    for name, data in contents.items():
        path = folder / name
        path.write_bytes(data)
        yield Case(path, f"{name}: not to be read", False, is_bad=True)


def _saved(kind: str, size: tuple[int, int] = _SIZE) -> bytes:
    file = io.BytesIO()
    noise(size).save(file, kind)
    return file.getvalue()


def _png_of_16_bits() -> bytes:
    """RGB with 16 bits a channel, interlaced (ISO/IEC 15948); Pillow does not write such."""
    width, height = 8, 8
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 1)
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b""
    for left, top, step_x, step_y in passes:
        columns = len(range(left, width, step_x))
        for _ in range(top, height, step_y):
            rows += b"\0" + bytes(range(6)) * columns
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
