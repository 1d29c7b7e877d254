"""Videos that are rare and must be read, and some that must be refused in one sentence."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from desktopapp.engine.media.selection import MediaSelection
from tests.clips import CODECS, rotate, vary_rate, write_clip
from tests.media_case import Case


def rare_videos(folder: Path) -> Iterator[Case]:
    """Sound ones that few programs write."""
    path = write_clip(folder / "turned-and-varying.mp4", 30)
    vary_rate(path, [(10, 512), (10, 9000), (10, 1)])
    rotate(path, 90)
    yield Case(path, "turned by 90 degrees, with a varying rate", True)
    path = _write(folder / "8k.mp4", (7680, 4320), 6)
    yield Case(path, "frames of 8K", True)
    for suffix in (".mp4", ".mkv", ".avi"):
        path = _write(folder / f"odd{suffix}", (161, 67), 6)
        yield Case(path, f"frames of 161 x 67 in {suffix}", True)
    path = write_clip(folder / "instant.mp4", 12)
    vary_rate(path, [(12, 0)])
    yield Case(path, "all frames at one moment", True)
    path = _without_duration(write_clip(folder / "timeless.mp4", 12))
    yield Case(path, "durations of zero in the headers", True)
    path = write_clip(folder / "slow.mp4", 12, 0.5)
    yield Case(path, "a frame every two seconds", True)
    path = write_clip(folder / "fast.mp4", 240, 240.0)
    yield Case(path, "240 frames a second, the last tenth of a second", True, MediaSelection(start_s=0.9))
    path = write_clip(folder / "wrong name.pdf.avi", 12)
    renamed = path.rename(folder / "wrong name.pdf")
    yield Case(renamed, "a video that is called PDF", True)
    for name in ("line\nbreak.mp4", "\u202e4pm.exe.mp4", "\U0001f3ac 50% #2.mkv"):
        yield Case(_named(folder, name), "a name that is hard to show", True)


def refused_videos(folder: Path) -> Iterator[Case]:
    """Sound without pictures, and headers that lie."""
    changes = {
        ".mp4": (b"vide", b"soun"),
        ".avi": (b"vids", b"auds"),
        ".mkv": (b"\x83\x81\x01", b"\x83\x81\x02"),
    }
    for suffix, (was, now) in changes.items():
        path = write_clip(folder / f"sound-only{suffix}", 12)
        path.write_bytes(path.read_bytes().replace(was, now))
        yield Case(path, f"sound only in {suffix}", False, is_bad=True)
    path = write_clip(folder / "endless.mp4", 12)
    vary_rate(path, [(2**31 - 1, 1)])
    yield Case(path, "two thousand million frames in the table", False)
    path = write_clip(folder / "frozen.mp4", 12)
    vary_rate(path, [(1, 1), (11, 2**31 - 1)])
    yield Case(path, "frames that are shown for days", False)


def _write(path: Path, size: tuple[int, int], frames: int) -> Path:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    code = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 10.0, size)
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 20 * number, np.uint8))
    writer.release()
    return path


def _named(folder: Path, name: str) -> Path:
    return write_clip(folder / f"plain{Path(name).suffix}", 6).rename(folder / name)


def _without_duration(path: Path) -> Path:
    """Zeros where `mvhd`, `tkhd` and `mdhd` say how long it is (ISO/IEC 14496-12, 8.2.2, 8.3.2, 8.4.2; version 0)."""
    data = bytearray(path.read_bytes())
    for box, at in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        struct.pack_into(">I", data, data.index(box) + 4 + at, 0)
    path.write_bytes(bytes(data))
    return path
