"""Conversations as token ids with what the loss needs: which tokens count, and where in the picture each looks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.pocket.shape import THOUGHT_END_ID, THOUGHT_START_ID, TURN_END_ID, TURN_START_ID

NOWHERE = -1.0
_USER = (TURN_START_ID, *b"user\n")
_ASSISTANT = (TURN_START_ID, *b"assistant\n")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a thought where it may be cut and gone on from, and what a carry-over says there.

    Args:
        end: characters of the thought before it.
        established: in English and in Chinese.
        left: what is open, likewise.
    """

    end: int
    established: tuple[str, str]
    left: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    Args:
        question: what the person writes.
        answer: what the model answers.
        places: float32 (characters of the answer, 2), x and y in px of what each character is read from or speaks
            of, `NOWHERE` where there is none; None for nowhere at all. The answer must then be ASCII.
        thought: the chain a Thinking model writes first, ASCII; None if the turn is for Instruct alone.
        thought_places: as `places`, of the thought.
        marks: places in the thought where it may be cut, first ones first.
        is_cut: the thought was cut at a budget: it is not taught to end there.
        given: characters at the thought's beginning that stand in the prompt: they are not taught.
    """

    question: str
    answer: str
    places: NDArray[np.float32] | None = None
    thought: str | None = None
    thought_places: NDArray[np.float32] | None = None
    marks: tuple[Mark, ...] = ()
    is_cut: bool = False
    given: int = 0


@dataclass(slots=True)
class Chain:
    """A thought under way: its text, and where in the picture each character comes from."""

    text: str = ""
    marks: list[Mark] = field(default_factory=list)
    _places: list[NDArray[np.float32]] = field(default_factory=list)

    def say(self, text: str, places: NDArray[np.float32] | tuple[float, float] | None = None) -> Chain:
        """Append text, read at places (characters, 2) or at one point, px; None is nowhere."""
        self.text += text
        if places is None:
            places = (NOWHERE, NOWHERE)
        self._places.append(np.broadcast_to(np.asarray(places, np.float32), (len(text), 2)))
        return self

    def mark(self, established: tuple[str, str], left: tuple[str, str]) -> Chain:
        """Say what is established and what is left here, in English and in Chinese."""
        self.marks.append(Mark(len(self.text), established, left))
        return self

    @property
    def places(self) -> NDArray[np.float32]:
        """(characters, 2)."""
        return np.concatenate(self._places)


@dataclass(slots=True)
class Tokens:
    """Token ids behind the first picture, `counts` for those the loss is taken on, and their places in px."""

    ids: list[NDArray[np.int32]] = field(default_factory=list)
    counts: list[NDArray[np.bool_]] = field(default_factory=list)
    places: list[NDArray[np.float32]] = field(default_factory=list)
    length: int = 0

    def add(self, ids: NDArray[np.int32], *, count: bool, places: NDArray[np.float32] | None = None) -> None:
        """Append ids."""
        self.ids.append(ids)
        self.counts.append(np.full(len(ids), count))
        self.places.append(np.full((len(ids), 2), NOWHERE, np.float32) if places is None else places)
        self.length += len(ids)

    def add_turn(self, turn: Turn, *, first: bool, thinking: bool) -> None:
        """Append a turn; the first one's `user` header stands before the picture already."""
        head = [] if first else [*b"\n", *_USER]
        question = [*head, *turn.question.encode(), TURN_END_ID, *b"\n", *_ASSISTANT]
        if thinking and turn.thought is not None:
            question += [THOUGHT_START_ID, *b"\n"]
            self.add(np.array(question, np.int32), count=False)
            thought = np.frombuffer(turn.thought.encode(), np.uint8).astype(np.int32)
            for part, count in ((slice(turn.given), False), (slice(turn.given, None), True)):
                places = None if turn.thought_places is None else turn.thought_places[part]
                self.add(thought[part], count=count, places=places)
            closing = np.array([*b"\n", THOUGHT_END_ID, *b"\n\n"], np.int32)
            self.add(closing, count=not turn.is_cut)
        else:
            self.add(np.array(question, np.int32), count=False)
        answer = np.frombuffer(turn.answer.encode(), np.uint8).astype(np.int32)
        self.add(answer, count=True, places=turn.places)
        self.add(np.array([TURN_END_ID], np.int32), count=True)

    def joined(self) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.float32]]:
        """All ids, counts and places."""
        return np.concatenate(self.ids), np.concatenate(self.counts), np.concatenate(self.places)


def turn_length(turn: Turn, *, thinking: bool) -> int:
    """Upper bound of the tokens that `add_turn` adds."""
    thought = len(turn.thought.encode()) + 8 if thinking and turn.thought is not None else 0
    return len(turn.question.encode()) + len(turn.answer.encode()) + thought + 24
