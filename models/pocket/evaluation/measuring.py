"""Asks a model the items of a skill, and scores what it says. Each task can run in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from desktopapp.engine.request import BackendChoice
from models.pocket.evaluation.items import Item, load_items
from models.pocket.evaluation.runners import picture_asker, video_asker
from models.pocket.evaluation.scores import character_error_rate, is_exact, overlap, read_box, read_time_s

BARS = {
    "read": "character error rate <= 5 %",
    "page": "character error rate, aim <= 10 %",
    "window": "character error rate, aim <= 10 %",
    "shapes": "exact >= 95 %",
    "ground": "IoU over 0.5 >= 85 %",
    "video": "within 0.5 s >= 80 %",
    "sums": "exact: Thinking >= 90 %",
    "chain": "exact, six steps or more",
    "notes": "exact: goes on from notes",
    "check": "exact: confirms or refutes",
}
# Turns that Thinking alone was taught.
STAGED = ("notes", "check")
CONTROLS = ("blank", "swapped")
_READ = ("read", "page", "window")
# Controls, and the comparison of the backends, take the first tenth of the items.
_TENTH = 10


@dataclass(frozen=True, slots=True)
class Task:
    """A model and a skill to measure.

    Args:
        model: folder; a Thinking one is told by its name.
        skill: one of `BARS`.
        work: folder with `items.json` and the pictures; takes the answers.
        count: items asked, at most.
        controls: some of `CONTROLS`.
    """

    model: Path
    skill: str
    work: Path
    count: int
    controls: tuple[str, ...] = ()

    @property
    def items(self) -> list[Item]:
        """The items that are asked."""
        every = load_items(self.work / "items.json")
        return [item for item in every if item.skill == self.skill][: self.count]

    @property
    def answers(self) -> Path:
        """Where llama.cpp's answers are kept."""
        return self.work / f"{self.model.name}-{self.skill}.json"

    @property
    def tenth(self) -> int:
        """How many items the controls and the comparison take."""
        return max(1, self.count // _TENTH)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a tenth of the answers of both backends compare.

    Args:
        row: for the table.
        same: answers that are the same to the letter.
        items: compared.
    """

    row: str
    same: int
    items: int


def score(skill: str, items: Sequence[Item], answers: Sequence[str]) -> float:
    """The measure of a skill over its items, 0..1 (a character error rate can be larger)."""
    if skill in _READ:
        return character_error_rate([(a, str(i.expected)) for a, i in zip(answers, items, strict=True)])
    return sum(is_right(item, answer) for item, answer in zip(items, answers, strict=True)) / len(items)


def is_right(item: Item, answer: str) -> bool:
    """Whether an answer passes; for texts that are read, whether every character is right."""
    if item.skill == "ground":
        box = read_box(answer)
        return box is not None and isinstance(item.expected, tuple) and overlap(box, item.expected) > 0.5
    if item.skill == "video":
        time_s = read_time_s(answer)
        return time_s is not None and isinstance(item.expected, float) and abs(time_s - item.expected) <= 0.5
    return is_exact(answer, str(item.expected))


def measure(task: Task) -> str:
    """Ask all items; returns the table's row, and keeps the answers."""
    items = task.items
    thinking = "thinking" in task.model.name
    if task.skill == "video":
        ask = video_asker(task.model, thinking=thinking)
    else:
        ask = picture_asker(task.model, BackendChoice.LLAMA_CPP, thinking=thinking)
    begun_s = time.monotonic()
    answers = [ask([task.work / name for name in item.pictures], item.question) for item in items]
    spent_s = (time.monotonic() - begun_s) / len(items)
    entries = [
        {"expected": i.expected, "answer": a, "question": i.question, "pictures": i.pictures}
        for i, a in zip(items, answers, strict=True)
    ]
    task.answers.write_text(json.dumps(entries, ensure_ascii=False, indent=1), encoding="utf-8")
    cells = [task.model.name, task.skill, str(len(items)), BARS[task.skill]]
    cells.append(_percent(score(task.skill, items, answers)))
    few = items[: task.tenth]
    for control in CONTROLS:
        if control not in task.controls:
            cells.append("")
            continue
        shown = [_controlled(items, index, task.work, control) for index in range(len(few))]
        asked = [ask(pictures, item.question) for pictures, item in zip(shown, few, strict=True)]
        cells.append(_percent(score(task.skill, few, asked)))
    return "| " + " | ".join([*cells, f"{spent_s:.2f}"]) + " |"


def compare(task: Task) -> Agreement:
    """Ask transformers a fixed tenth that `measure` asked llama.cpp."""
    few = task.items[: task.tenth]
    kept = json.loads(task.answers.read_text(encoding="utf-8"))
    theirs = [entry["answer"] for entry in kept[: len(few)]]
    ask = picture_asker(task.model, BackendChoice.TRANSFORMERS, thinking="thinking" in task.model.name)
    ours = [ask([task.work / name for name in item.pictures], item.question) for item in few]
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    cells = [task.model.name, task.skill, str(len(few)), _percent(score(task.skill, few, theirs))]
    cells += [_percent(score(task.skill, few, ours)), _percent(same / len(few))]
    return Agreement("| " + " | ".join(cells) + " |", same, len(few))


def _controlled(items: Sequence[Item], index: int, folder: Path, control: str) -> list[Path]:
    """Pictures to show with an item's question: grey ones, or those of the next item."""
    if control == "swapped":
        return [folder / name for name in items[(index + 1) % len(items)].pictures]
    return [_blank(folder / name) for name in items[index].pictures]


def _blank(file: Path) -> Path:
    blank = file.with_name(f"blank-{file.name}")
    if not blank.exists():
        with Image.open(file) as image:
            Image.new("RGB", image.size, (128, 128, 128)).save(blank)
    return blank


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
