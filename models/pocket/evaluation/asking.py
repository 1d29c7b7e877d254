"""Asks a model the items of a skill and keeps every answer at once, so that a run goes on where the last one ended."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from desktopapp.engine.request import BackendChoice
from models.pocket.evaluation.item import Item, load_items, write_video
from models.pocket.evaluation.runners import make_asker

# Controls, and the comparison of the backends, take the first tenth of the items.
_TENTH = 10
_GREY = 128
# Items that a process asks before another one may take its place.
_SHARD = 50


class Trial(StrEnum):
    """What is asked, and by whom."""

    LLAMA_CPP = "llama.cpp"
    BLANK = "blank"
    SWAPPED = "swapped"
    TRANSFORMERS = "transformers"


@dataclass(frozen=True, slots=True)
class Task:
    """A model, a skill and a trial.

    Args:
        model: folder; a Thinking one is told by its name.
        skill: of the items.
        trial: all items with llama.cpp, or a tenth of them otherwise.
        work: folder of the items; takes the answers.
        count: items asked, at most.
    """

    model: Path
    skill: str
    trial: Trial
    work: Path
    count: int

    @property
    def items(self) -> list[Item]:
        """The items that are asked."""
        every = load_items(self.work / f"{self.skill}.json")[: self.count]
        return every if self.trial is Trial.LLAMA_CPP else every[: max(1, len(every) // _TENTH)]

    @property
    def shards(self) -> list[range]:
        """The items' indices, so many at a time as one process asks."""
        count = len(self.items)
        return [range(first, min(first + _SHARD, count)) for first in range(0, count, _SHARD)]

    def answers(self) -> dict[int, str]:
        """Those kept, by the index of their item."""
        kept: dict[int, str] = {}
        for shard in self.shards:
            kept |= self.shard_answers(shard)
        return kept

    def shard_answers(self, shard: range) -> dict[int, str]:
        """Those kept of one shard."""
        file = self.shard_file(shard)
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        entries = (json.loads(line) for line in lines)
        return {entry["index"]: str(entry["answer"]) for entry in entries if entry["index"] in shard}

    def shard_file(self, shard: range) -> Path:
        """A line an answer; other weights have another one."""
        folder = self.work / f"{self.model.name}-{_digest(self.model / 'model.safetensors')}"
        return folder / f"{self.skill}-{self.trial}-{shard.start:03d}.jsonl"


@lru_cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def ask_items(task: Task, shard: range, end_s: float) -> None:
    """Ask what was not asked yet of a shard, until it is `end_s` (as `time.time()` counts)."""
    kept = task.shard_answers(shard)
    left = [index for index in shard if index not in kept]
    if not left or time.time() >= end_s:
        return
    items = task.items
    backend = BackendChoice.TRANSFORMERS if task.trial is Trial.TRANSFORMERS else BackendChoice.LLAMA_CPP
    ask = make_asker(task.model, backend, thinking="thinking" in task.model.name)
    file = task.shard_file(shard)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        for index in left:
            begun_s = time.monotonic()
            answer = ask(_shown(task, items, index), items[index].question)
            item = items[index]
            entry = {"index": index, "answer": answer, "expected": item.expected, "question": item.question}
            entry |= {"pictures": item.pictures, "s": round(time.monotonic() - begun_s, 3)}
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
            out.flush()
            if time.time() >= end_s:
                return


def _shown(task: Task, items: Sequence[Item], index: int) -> list[Path]:
    """What is shown with an item's question: its own, grey ones of its size, or the next item's."""
    if task.trial is Trial.SWAPPED:
        every = load_items(task.work / f"{task.skill}.json")
        return [task.work / name for name in every[(index + 1) % len(every)].pictures]
    files = [task.work / name for name in items[index].pictures]
    return [_blank(file) for file in files] if task.trial is Trial.BLANK else files


def _blank(file: Path) -> Path:
    """A grey picture or video of the same size, made once."""
    blank = file.with_name(f"blank-{file.name}")
    if not blank.exists():
        # Another process may want the same one: it never sees half of it.
        part = file.with_name(f"part-{os.getpid()}-{file.name}")
        _make_blank(file, part)
        part.replace(blank)
    return blank


def _make_blank(file: Path, blank: Path) -> None:
    if file.suffix != ".avi":
        with Image.open(file) as image:
            Image.new("RGB", image.size, (_GREY, _GREY, _GREY)).save(blank)
        return
    import cv2

    video = cv2.VideoCapture(str(file))
    frames = []
    while (read := video.read())[0]:
        frames.append(np.full_like(read[1], _GREY, np.uint8))
    write_video(blank, frames)
