"""Short videos made on the spot; each frame shows its number as ten black or white fields, five by two."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".webm": "VP80", ".avi": "MJPG"}


def write_clip(path: Path, frames: int = 90, rate: float = 30.0, size: tuple[int, int] = (160, 64)) -> Path:
    """Write a clip in the container that the file's name asks for.

    Args:
        path: of the file.
        frames: how many, at most 1024.
        rate: frames a second.
        size: width and height in pixels.
    """
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    code = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, size)
    for number in range(frames):
        bits = np.array([number >> bit & 1 for bit in range(10)], np.uint8).reshape(2, 5) * 255
        fields = np.kron(bits, np.ones((size[1] // 2, size[0] // 5), np.uint8))
        writer.write(cv2.cvtColor(np.ascontiguousarray(fields), cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def number_of(pixels: np.ndarray) -> int:
    """Which frame of a clip this is."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 5
    means = pixels[..., 0].reshape(2, height, 5, width).mean(axis=(1, 3)).ravel()
    return sum(1 << bit for bit in range(10) if means[bit] > 128)


def vary_rate(path: Path, durations: list[tuple[int, int]]) -> None:
    """Give an MP4 file's frames other durations, by replacing its table of times (ISO/IEC 14496-12, 8.6.1.2).

    Args:
        path: of a file that `write_clip` made, whose `moov` box stands last.
        durations: (frames, units of the track's own clock), in order.
    """
    # The edit list says how long the whole is; without one the table alone does.
    data = path.read_bytes().replace(b"edts", b"free")
    table = struct.pack(">II", 0, len(durations)) + b"".join(struct.pack(">II", *pair) for pair in durations)
    path.write_bytes(_replace_box(data, (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"), table))


def rotate(path: Path, degrees: int) -> None:
    """Write a rotation into an MP4 file's track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    turns = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}
    a, b, c, d = turns[degrees]
    struct.pack_into(">iiiiiiiii", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))


def _replace_box(data: bytes, names: tuple[bytes, ...], body: bytes) -> bytes:
    """The boxes with one of them exchanged, the sizes around it put right."""
    out = []
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        inner = data[at + 8 : at + size]
        if name == names[0]:
            inner = _replace_box(inner, names[1:], body) if len(names) > 1 else body
        out.append(struct.pack(">I4s", len(inner) + 8, name) + inner)
        at += size
    return b"".join(out)
