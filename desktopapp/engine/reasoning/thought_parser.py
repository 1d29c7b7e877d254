"""Divides streamed output into the thought and the answer.

A Thinking model's template opens the thought in the prompt, so the output holds only `</think>`. Templates
exist that leave the opening to the model; then `<think>` is recognised as the first thing it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from desktopapp.engine.events import Channel

OPENING = "<think>"
CLOSING = "</think>"


class _State(Enum):
    BEFORE = "nothing but white space was written yet"
    THOUGHT_START = "inside the thought, before its first word"
    THOUGHT = "inside the thought"
    ANSWER_START = "behind the thought, before the answer's first word"
    ANSWER = "inside the answer"


class ThoughtParser:
    """Give it text as it comes; it gives back text for a channel as soon as it is sure.

    The tags and the line breaks around them belong to no channel. Any division of the same output gives the
    same channels, and no other character is lost. A thought that is never closed stays a thought.

    A model whose thought was closed for it may close it once more: that tag is a slip, and left out of the answer.

    Args:
        opened: the prompt ends inside the thought.
        was_closed: the thought was closed for the model, before this output.
    """

    def __init__(self, *, opened: bool, was_closed: bool = False) -> None:
        self._state = _State.THOUGHT_START if opened else _State.BEFORE
        self._was_closed = was_closed
        self._held = ""

    @property
    def inside_thought(self) -> bool:
        """Whether a thought is open."""
        return self._state in (_State.THOUGHT_START, _State.THOUGHT)

    def feed(self, text: str) -> Iterator[tuple[Channel, str]]:
        """Take the next piece of output; yields non-empty pieces for the channels."""
        self._held += text
        while self._held:
            before = self._state
            yield from self._advance()
            if self._state is before:
                return

    def close(self) -> Iterator[tuple[Channel, str]]:
        """Close the thought for the model; gives out what was held back of it."""
        yield from self.feed(CLOSING)
        self._was_closed = True

    def finish(self) -> Iterator[tuple[Channel, str]]:
        """Give out what was held back, when the output has ended."""
        held, self._held = self._held, ""
        if held:
            yield (Channel.THOUGHT if self.inside_thought else Channel.ANSWER), held

    def _advance(self) -> Iterator[tuple[Channel, str]]:
        if self._state is _State.BEFORE:
            self._look_for_opening()
        elif self._state in (_State.THOUGHT_START, _State.ANSWER_START):
            self._skip_line_breaks()
        elif self._state is _State.THOUGHT:
            yield from self._read_thought()
        else:
            yield from self._read_answer()

    def _look_for_opening(self) -> None:
        start = self._held.lstrip()
        if start.startswith(OPENING):
            self._held = start.removeprefix(OPENING)
            self._state = _State.THOUGHT_START
        elif not OPENING.startswith(start):
            self._state = _State.ANSWER

    def _skip_line_breaks(self) -> None:
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state = _State.THOUGHT if self._state is _State.THOUGHT_START else _State.ANSWER

    def _read_thought(self) -> Iterator[tuple[Channel, str]]:
        thought, tag, rest = self._held.partition(CLOSING)
        if tag:
            self._state, self._held = _State.ANSWER_START, rest
            thought = thought.rstrip("\n")
        else:
            certain = _certain_length(thought)
            thought, self._held = thought[:certain], thought[certain:]
        if thought:
            yield Channel.THOUGHT, thought

    def _read_answer(self) -> Iterator[tuple[Channel, str]]:
        answer, self._held = self._held, ""
        if self._was_closed:
            answer = answer.replace(CLOSING, "")
            certain = len(answer) - _begun_tag_length(answer)
            answer, self._held = answer[:certain], answer[certain:]
        if answer:
            yield Channel.ANSWER, answer


def _begun_tag_length(text: str) -> int:
    """Characters at the end of a text that may become the closing tag."""
    longest = min(len(CLOSING) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if CLOSING.startswith(text[-n:])), 0)


def _certain_length(text: str) -> int:
    """How much of a thought cannot be part of its end: line breaks, then a beginning of the closing tag."""
    return len(text[: len(text) - _begun_tag_length(text)].rstrip("\n"))
