"""Measures what decoding takes of memory: pictures, animations, videos, pictures in a PDF. Linux only.

    python tests/benchmarks/bench_media_memory.py [--kinds pictures animations videos pages]

Each file is read whole in a process of its own: the peak of its resident memory above what it held before. Beside it stands
what has to be free before such a file is decoded; the exit status is 1 where that is less.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
import psutil
from PIL import Image

from desktopapp.engine.media import free_memory, video
from desktopapp.engine.media.attachment import open_media
from desktopapp.engine.media.pdfium_pages import draw_page, load_document
from desktopapp.engine.media.selection import MediaSelection
from tests.h264 import write_h264
from tests.odd_documents import write_embedded

_SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "samples" / "shapes.png"
_SIZE = (6000, 4000)
_ANIMATION_SIZE = (3000, 2000)
_VIDEO_SIZE = (3840, 2160)
_PAGE_PX = (3400, 4900)
_KINDS = ("pictures", "animations", "videos", "pages")


def peak_bytes() -> int:
    """The most that was resident since this process began."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def read_file(path: str, kind: str, threads: int) -> None:
    """In a process of its own: print bytes that were asked for, and that were taken."""
    asked: list[int] = []
    video._MOST_THREADS = threads
    video.os.cpu_count = lambda: threads
    is_free = free_memory._free_bytes

    class Free(int):
        def __lt__(self, needed: int) -> bool:
            asked.append(needed)
            return False

    free_memory._free_bytes = lambda: Free(is_free())
    open_media(str(_SAMPLE)).pictures[0].decode()
    asked.clear()
    idle = psutil.Process().memory_info().rss
    if kind == "pages":
        with Path(path).open("rb") as file:
            document = load_document(file, None, path)
            draw_page(document, 1, *_PAGE_PX, path)
    else:
        media = open_media(path, MediaSelection(as_video=kind == "animations"))
        if media.video is None:
            media.pictures[0].decode()
        else:
            for index in range(len(media.video.frame_times_s)):
                media.video.decode(index)
    of_threads = (threads - 1) * video._THREAD_PIXEL_BYTES * _VIDEO_SIZE[0] * _VIDEO_SIZE[1]
    print(max(asked) + (of_threads if kind == "videos" else 0), peak_bytes() - idle)


def pattern(size: tuple[int, int], shift: int = 0) -> Image.Image:
    """A picture that no coder makes nothing of."""
    y, x = np.mgrid[0 : size[1], shift : shift + size[0]]
    return Image.fromarray(np.stack([x // 8, y // 8, (x + y) // 16], -1).astype(np.uint8))


def make_pictures(folder: Path) -> Iterator[tuple[Path, int]]:
    import pillow_heif

    pillow_heif.register_heif_opener()
    picture, exif = pattern(_SIZE), Image.Exif()
    exif[0x0112] = 6
    options: dict[str, dict[str, Any]] = {
        "rgb.png": {"compress_level": 1},
        "progressive.jpg": {"progressive": True},
        "turned.jpg": {"exif": exif},
        "lossy.webp": {"method": 0},
        "plain.avif": {"speed": 10},
        "sharp.avif": {"speed": 10, "subsampling": "4:4:4"},
        "plain.heic": {"quality": 50},
        "sharp.heic": {"quality": 50, "chroma": 444},
    }
    for name, chosen in options.items():
        picture.save(folder / name, **chosen)
        yield folder / name, 1
    picture.convert("F").save(folder / "floats.tiff")
    yield folder / "floats.tiff", 1


def make_animations(folder: Path) -> Iterator[tuple[Path, int]]:
    frames = [pattern(_ANIMATION_SIZE, 100 * number) for number in range(6)]
    for name, chosen in (("a.webp", {"method": 0}), ("a.gif", {})):
        first, *others = [frame.quantize(64) for frame in frames] if name == "a.gif" else frames
        first.save(folder / name, save_all=True, append_images=others, duration=100, **chosen)
        yield folder / name, 1


def make_videos(folder: Path) -> Iterator[tuple[Path, int]]:
    for references, threads in ((1, 1), (5, 1), (5, 8), (5, 16), (16, 1), (16, 16)):
        yield write_h264(folder / f"{references} references.avi", _VIDEO_SIZE, 36, references), threads
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for name, code in (
        ("mpeg4.mp4", "mp4v"),
        ("mjpeg.avi", "MJPG"),
        ("vp8.mkv", "VP80"),
        ("vp9.mkv", "VP90"),
        ("ffv1.mkv", "FFV1"),
    ):
        writer = cv2.VideoWriter(
            str(folder / name), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), 10.0, _VIDEO_SIZE
        )
        for number in range(6):
            writer.write(np.full((_VIDEO_SIZE[1], _VIDEO_SIZE[0], 3), 40 * number, np.uint8))
        writer.release()
        for threads in (1, 16):
            yield folder / name, threads


def make_pages(folder: Path) -> Iterator[tuple[Path, int]]:
    picture = pattern((8000, 6000))
    for name, mode, kind, decoder, chosen in (
        ("jpeg", "RGB", "JPEG", b"DCTDecode", {}),
        ("progressive", "RGB", "JPEG", b"DCTDecode", {"progressive": True}),
        ("jpeg 2000", "RGB", "JPEG2000", b"JPXDecode", {}),
        ("transparent jpeg 2000", "RGBA", "JPEG2000", b"JPXDecode", {}),
    ):
        data = io.BytesIO()
        picture.convert(mode).save(data, kind, **chosen)
        yield write_embedded(folder / f"{name}.pdf", data.getvalue(), decoder, picture.size), 1
    picture.convert("1").save(folder / "fax.pdf")
    yield folder / "fax.pdf", 1


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", nargs="+", choices=_KINDS, default=_KINDS)
    parser.add_argument("--read", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        path, kind, threads = options.read
        read_file(path, kind, int(threads))
        return 0
    makers = {
        "pictures": make_pictures,
        "animations": make_animations,
        "videos": make_videos,
        "pages": make_pages,
    }
    too_little = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            for path, threads in makers[kind](Path(folder)):
                command = [sys.executable, __file__, "--read", str(path), kind, str(threads)]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                asked, taken = (int(number) / 2**20 for number in said.split())
                print(
                    f"{kind:10s} {path.name:28s} {threads:2d} threads: {taken:5.0f} MiB taken, {asked:5.0f} asked for",
                    flush=True,
                )
                too_little += taken > asked
    return int(too_little > 0)


if __name__ == "__main__":
    sys.exit(main())
