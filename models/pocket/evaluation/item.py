"""An evaluation item, its files, and the list of them on disk; nothing here needs Qt."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VIDEO_FPS = 2.0


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    Args:
        skill: one of `SKILLS`.
        pictures: file name of its picture or video.
        question: what is asked.
        expected: the right answer: text, or four thousandths, or seconds.
    """

    skill: str
    pictures: tuple[str, ...]
    question: str
    expected: str | tuple[float, ...] | float


def save_items(file: Path, items: list[Item]) -> None:
    """Write items as JSON."""
    file.write_text(
        json.dumps([asdict(item) for item in items], ensure_ascii=False, indent=1), encoding="utf-8"
    )


def load_items(file: Path) -> list[Item]:
    """Read what `save_items` wrote."""
    items = []
    for entry in json.loads(file.read_text(encoding="utf-8")):
        expected = entry["expected"]
        value = tuple(expected) if isinstance(expected, list) else expected
        items.append(Item(entry["skill"], tuple(entry["pictures"]), entry["question"], value))
    return items


def write_video(file: Path, frames: list[NDArray[np.uint8]]) -> None:
    """Write frames (height, width, RGB) without loss, `VIDEO_FPS` a second.

    Raises:
        OSError: this OpenCV cannot write such a file here.
    """
    import cv2

    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"FFV1"), VIDEO_FPS, (width, height))
    if not writer.isOpened():
        raise OSError(f"cannot write {file}")
    for frame in frames:
        writer.write(frame[:, :, ::-1])
    writer.release()
