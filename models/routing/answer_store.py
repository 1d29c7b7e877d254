"""Answers that were measured already, so that a long measurement can be made in pieces."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from desktopapp.engine.reasoning import carried_thought, reply, stage_labels, stage_prompts, staged
from desktopapp.engine.request import ReasoningLimits
from models.pocket.evaluation.item import Item

_STAGING = (carried_thought, reply, stage_labels, stage_prompts, staged)
PLAIN = ReasoningLimits()


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: right or not, its tokens, and the steps that it was thought about in."""

    is_right: bool
    tokens: int
    steps: int


class AnswerStore:
    """A file of JSON lines, one an answer.

    An answer is known by the weights, the item, the limits and, where it was thought about in steps, the code that makes the
    steps: new weights or other wordings are measured anew.

    Args:
        file: made when the first answer comes.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        entries = [json.loads(line) for line in lines]
        self._known = {entry["key"]: Answered(**entry["answered"]) for entry in entries}

    def find(self, weights: Path, item: Item, limits: ReasoningLimits) -> Answered | None:
        """What was measured for this, if it was."""
        return self._known.get(_key(weights, item, limits))

    def add(self, weights: Path, item: Item, limits: ReasoningLimits, answered: Answered) -> None:
        """Write an answer down."""
        key = _key(weights, item, limits)
        self._known[key] = answered
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "answered": asdict(answered)}) + "\n")


def _key(weights: Path, item: Item, limits: ReasoningLimits) -> str:
    code = "" if limits == PLAIN else _staging_hash()
    asked = f"{item.skill} {item.pictures} {item.question} {item.expected}"
    return " ".join((_file_hash(weights), _hash(asked.encode()), str(asdict(limits)), code))


@cache
def _file_hash(file: Path) -> str:
    return _hash(file.read_bytes())


@cache
def _staging_hash() -> str:
    return _hash(b"".join(Path(str(module.__file__)).read_bytes() for module in _STAGING))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
