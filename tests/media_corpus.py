"""Files as people drop them: good, odd and hostile pictures, videos and documents. Seeded."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from desktopapp.engine.media.selection import MediaSelection
from tests.clips import rotate, vary_rate, write_clip
from tests.documents import write_document
from tests.media_case import Case
from tests.odd_documents import hostile_documents, rare_documents
from tests.odd_pictures import rare_pictures, refused_pictures
from tests.odd_videos import rare_videos, refused_videos

_MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
    "bmp": ("1", "L", "RGB"),
    "gif": ("P",),
    "tiff": ("1", "L", "RGB", "CMYK", "F", "I;16"),
    "avif": ("RGB",),
}
_SIZES = ((64, 48), (1, 1), (1, 190), (3000, 40), (1200, 900))
_PAGE_SIZES = ((595, 842), (842, 595), (2, 2), (14_400, 14_400), (14_400, 3), (300, 4000))
_ABSURD = (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


def make_corpus(folder: Path, mutations: int) -> list[Case]:
    """Write the corpus.

    Args:
        folder: exists, empty.
        mutations: damaged copies of good files, besides good and odd ones.
    """
    good = [*_pictures(folder), *_videos(folder), *_documents(folder)]
    rare = [*rare_pictures(folder), *rare_videos(folder), *rare_documents(folder)]
    bad = [*refused_pictures(folder), *refused_videos(folder), *hostile_documents(folder)]
    return [*good, *_oddities(folder), *_damaged(folder, good, mutations), *rare, *bad]


def _noise(mode: str, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(values)
    if mode == "I;16":
        return Image.fromarray(values[..., 0].astype(np.uint16) * 256)
    return picture.convert("L").convert("F") if mode == "F" else picture.convert(mode)


def _pictures(folder: Path) -> Iterator[Case]:
    for suffix, modes in _MODES.items():
        for mode in modes:
            path = folder / f"{mode.replace(';', '')}.{suffix}"
            _noise(mode, _SIZES[0]).save(path)
            yield Case(path, f"{mode} in {suffix}", True)
    for width, height in _SIZES[1:]:
        path = folder / f"{width}x{height}.png"
        _noise("RGB", (width, height)).save(path)
        yield Case(path, f"{width} x {height}", True)
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[274] = turn
        path = folder / f"turned-{turn}.jpg"
        _noise("RGB", (80, 60)).save(path, exif=exif)
        yield Case(path, f"EXIF orientation {turn}", True)
    for suffix in ("gif", "webp"):
        frames = [_noise("RGB", (40 + number, 40)).resize((48, 40)) for number in range(7)]
        path = folder / f"moving.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=120)
        yield Case(path, f"animated {suffix} as a video", True, MediaSelection(as_video=True))


def _videos(folder: Path) -> Iterator[Case]:
    for suffix in (".mp4", ".mov", ".mkv", ".webm", ".avi"):
        for frames, rate in ((1, 30.0), (3, 1.0), (40, 12.5)):
            path = write_clip(folder / f"clip-{frames}{suffix}", frames, rate)
            yield Case(path, f"{frames} frames in {suffix}", True)
    path = write_clip(folder / "vary.mp4", 30)
    vary_rate(path, [(10, 512), (10, 9000), (10, 1)])
    yield Case(path, "a varying rate", True)
    for degrees in (90, 180, 270):
        path = write_clip(folder / f"rotated-{degrees}.mp4", 12)
        rotate(path, degrees)
        yield Case(path, f"rotated by {degrees}", True)
    yield Case(path, "a part behind the end", False, MediaSelection(start_s=900, end_s=901))
    yield Case(path, "still frames left out", True, MediaSelection(merge_still=True))


def _documents(folder: Path) -> Iterator[Case]:
    for number, size in enumerate(_PAGE_SIZES):
        path = write_document(folder / f"page-{number}.pdf", ["A line", "Another (2)"], size)
        yield Case(
            path, f"pages of {size[0]} x {size[1]} points", True, MediaSelection(dpi=40, page_text=True)
        )
    path = write_document(folder / "long.pdf", [str(number) for number in range(10_000)])
    yield Case(path, "10,000 pages, one of them", True, MediaSelection(first_page=7_000, last_page=7_000))
    path = write_document(folder / "locked.pdf", ["x"], password="sesame")
    yield Case(path, "locked, opened", True, MediaSelection(password="sesame"))
    scan = folder / "scan.pdf"
    _noise("RGB", (300, 400)).save(scan)
    yield Case(scan, "a scanned page", True)


def _oddities(folder: Path) -> Iterator[Case]:
    yield Case(folder / "gone.png", "no such file", False)
    yield Case(folder, "a folder", False)
    yield Case(folder / "locked.pdf", "locked", False)
    yield Case(folder / "page-0.pdf", "pages that are not there", False, MediaSelection(first_page=99))
    contents = {
        "empty.png": b"",
        "empty.mp4": b"",
        "empty.pdf": b"",
        "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        "concat.mkv": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "text.pdf": b"plain text",
        "ftyp.mp4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        "ebml.mkv": b"\x1a\x45\xdf\xa3" + bytes(100),
        "riff.avi": b"RIFF\xff\xff\xff\xffAVI LIST" + bytes(200),
        "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "nopages.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n"
        b"trailer<</Root 1 0 R>>",
        "loop.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>endobj\n"
        b"trailer<</Root 1 0 R>>",
        "bomb.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
        + struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
        + bytes(60),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
        yield Case(folder / name, f"{name}: a file that only claims to be one", False)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
        yield Case(folder / "pipe.png", "a pipe", False)


def _damaged(folder: Path, good: list[Case], count: int) -> Iterator[Case]:
    files = [case for case in good if case.path.stat().st_size < 400_000]
    for seed in range(count):
        chance = random.Random(seed)
        case = files[seed % len(files)]
        data = bytearray(case.path.read_bytes())
        mutate = chance.choice((_cut, _flip, _flip, _overwrite, _repeat, _blank))
        what = mutate(chance, data)
        path = folder / f"damaged-{seed}{case.path.suffix}"
        path.write_bytes(data)
        yield Case(path, f"{case.what}: {what}", False, case.selection)


def _cut(chance: random.Random, data: bytearray) -> str:
    kept = chance.randrange(len(data))
    del data[kept:]
    return f"cut to {kept} bytes"


def _flip(chance: random.Random, data: bytearray) -> str:
    limit = chance.choice((min(len(data), 300), len(data)))
    places = [chance.randrange(limit) for _ in range(chance.randint(1, 6))]
    for place in places:
        data[place] ^= chance.randint(1, 255)
    return f"bytes changed at {places}"


def _overwrite(chance: random.Random, data: bytearray) -> str:
    value, width = chance.choice(_ABSURD), chance.choice((2, 4, 8))
    place = chance.randrange(max(1, min(len(data), 2_000) - width))
    data[place : place + width] = (value & ((1 << 8 * width) - 1)).to_bytes(
        width, chance.choice(("big", "little"))
    )
    return f"{value} at {place}"


def _repeat(chance: random.Random, data: bytearray) -> str:
    start, length = chance.randrange(len(data)), chance.randint(1, 2_000)
    data[start:start] = data[start : start + length]
    return f"{length} bytes twice at {start}"


def _blank(chance: random.Random, data: bytearray) -> str:
    start, length = chance.randrange(len(data)), chance.randint(8, 4_000)
    data[start : start + length] = bytes(len(data[start : start + length]))
    return f"{length} zeros at {start}"
