"""Scores answers, and lays them out as the tables of the model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.pocket.evaluation.asking import Task, Trial
from models.pocket.evaluation.item import Item
from models.pocket.evaluation.scores import character_error_rate, is_exact, overlap, read_box, read_time_s

BARS = {
    "read": "character error rate <= 5 %",
    "shapes": "exact >= 95 %",
    "ground": "IoU over 0.5 >= 85 %",
    "video": "within 0.5 s >= 80 %",
    "sums": "exact: Thinking >= 90 %",
    "chain": "exact, six steps or more",
    "notes": "exact: goes on from notes",
    "check": "exact: confirms or refutes",
    "page": "character error rate, aim <= 10 %",
    "window": "character error rate, aim <= 10 %",
}
# Turns that Thinking alone was taught.
STAGED = ("notes", "check")
_READ = ("read", "page", "window")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a tenth of the answers of both backends compare.

    Args:
        row: for the table; empty where nothing was asked.
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


def measured_row(task: Task) -> str:
    """The table's row of what was asked so far: all items with llama.cpp, and the controls."""
    cells = [task.model.name, task.skill, str(len(task.answers())), BARS[task.skill]]
    trials = (Trial.LLAMA_CPP, Trial.BLANK, Trial.SWAPPED)
    return _row([*cells, *(_measured(replace(task, trial=trial)) for trial in trials)])


def compare(task: Task) -> Agreement:
    """The row of both backends' answers to the tenth that both were asked."""
    theirs = replace(task, trial=Trial.LLAMA_CPP).answers()
    ours = replace(task, trial=Trial.TRANSFORMERS).answers()
    both = sorted(theirs.keys() & ours.keys())
    if not both:
        return Agreement("", 0, 0)
    every = task.items
    items = [every[index] for index in both]
    same = sum(ours[index] == theirs[index] for index in both)
    scores = [score(task.skill, items, [kept[index] for index in both]) for kept in (theirs, ours)]
    cells = [task.model.name, task.skill, str(len(both)), *map(_percent, scores), _percent(same / len(both))]
    return Agreement(_row(cells), same, len(both))


def _measured(task: Task) -> str:
    answers = task.answers()
    every = task.items
    items = [every[index] for index in answers]
    return _percent(score(task.skill, items, list(answers.values()))) if answers else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
