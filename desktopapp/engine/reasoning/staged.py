"""Staged reasoning: thinks in steps whose memory is that of one step, whatever they add up to.

Every step is a prompt of its own: the conversation, the question, the notes of the step before. Backends keep the KV
of what two prompts have in common, so the conversation with its pictures is evaluated once, and each step takes the
place of the one before it in the KV cache.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from desktopapp.engine.answer import Answer
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.chat_prompt import ChatPrompt
from desktopapp.engine.events import Channel, Event, FinishReason
from desktopapp.engine.reasoning.reply import LARGEST_RESERVE_TOKENS, Replier, ReplyLimits
from desktopapp.engine.reasoning.stage_labels import labels_of
from desktopapp.engine.reasoning.stage_prompts import StagePrompts
from desktopapp.engine.reasoning_events import StepKind, StepStarted

NOTES_TOKENS = 512
"""Most tokens of a carry-over or a verdict."""


@dataclass(frozen=True, slots=True)
class Notes:
    """A carry-over.

    Args:
        text: what goes into the next prompt.
        answer: that it says was found; empty while something is open.
    """

    text: str
    answer: str = ""


def read_notes(reply: str, wordings: StagePrompts) -> Notes:
    """Find the carry-over in a reply; one that does not keep to the form is taken as it is, and as unfinished."""
    established = left = ""
    for line in reply.splitlines():
        words = line.strip().lstrip("*#- ")
        if words.startswith(wordings.established):
            established, left = words.removeprefix(wordings.established).strip(" *"), ""
        elif words.startswith(wordings.open):
            left = words.removeprefix(wordings.open).strip(" *")
    if not established:
        return Notes(reply.strip())
    gap = labels_of(wordings).gap
    text = f"{wordings.established}{gap}{established}\n{wordings.open}{gap}{left or '?'}"
    found = left.rstrip(".。 ").lower() == wordings.nothing.lower()
    return Notes(text, _bare_answer(established, wordings) if found else "")


def _bare_answer(established: str, wordings: StagePrompts) -> str:
    """`The answer is 42.` as `42`."""
    text = established.rstrip(".。")
    answer_is = labels_of(wordings).answer_is
    start = text.lower().rfind(answer_is)
    return text[start + len(answer_is) :].strip(" :：") if start >= 0 else text


def is_refuted(reply: str, wordings: StagePrompts) -> bool:
    """Whether a check's verdict, its last one, is that the answer is wrong."""
    verdicts = (wordings.confirmed, wordings.refuted, wordings.undecided)
    last = max(verdicts, key=lambda word: reply.rfind(word))
    return wordings.refuted in reply and last == wordings.refuted


class StagedRun:
    """One request, thought about in steps.

    Args:
        replier: runs prompts.
        answer: takes everything.
        render: makes the prompt with some text behind the question.
        wordings: in the question's language.
        cancel: `answer_wanted` skips to the answer.
        max_steps: that think, two or more; the check and the answer come on top.
        step_tokens: of a step's thought.
        thought_budget: of all thought; None for no limit but those.
        answer_tokens: longest output, thought included, but for what is always kept for the answer.
    """

    def __init__(
        self,
        replier: Replier,
        answer: Answer,
        render: Callable[[str], ChatPrompt],
        wordings: StagePrompts,
        cancel: CancelToken,
        *,
        max_steps: int,
        step_tokens: int,
        thought_budget: int | None,
        answer_tokens: int,
    ) -> None:
        self._replier = replier
        self._answer = answer
        self._render = render
        self._wordings = wordings
        self._cancel = cancel
        self._max_steps = max_steps
        self._step_tokens = step_tokens
        self._thought_budget = thought_budget
        self._answer_tokens = answer_tokens
        self._step = 0

    def run(self) -> Generator[Event, None, FinishReason]:
        """Think, check, answer."""
        notes = yield from self._think(None)
        if notes.answer and not self._must_answer:
            refuted = yield from self._check(notes.answer)
            if refuted and self._may_think:
                # Once: thought anew from the start, since the notes led to what was refuted.
                notes = yield from self._think(None)
        yield from self._begin(StepKind.ANSWER)
        words = self._wordings.notes.format(carry_over=notes.text) + self._wordings.final
        thought = self._next_budget
        answer = max(self._answer_tokens - self._answer.thought_tokens, LARGEST_RESERVE_TOKENS)
        limits = ReplyLimits(thought + answer, thought)
        return (yield from self._replier.reply(self._render(words), limits))

    @property
    def _spent(self) -> bool:
        return self._thought_budget is not None and self._answer.thought_tokens >= self._thought_budget

    @property
    def _must_answer(self) -> bool:
        return self._cancel.answer_wanted or self._spent

    @property
    def _may_think(self) -> bool:
        return self._step < self._max_steps and not self._must_answer

    @property
    def _next_budget(self) -> int:
        if self._thought_budget is None:
            return self._step_tokens
        return max(1, min(self._step_tokens, self._thought_budget - self._answer.thought_tokens))

    def _think(self, notes: Notes | None) -> Generator[Event, None, Notes]:
        """Steps until nothing is open, they go on in place, or there may be no more."""
        while notes is None or self._may_think:
            yield from self._begin(StepKind.THINK)
            words = self._wordings
            asked = words.step if notes is None else words.notes.format(carry_over=notes.text) + words.go_on
            reached = read_notes((yield from self._reply(asked)), words)
            if reached.answer or reached == notes:
                return reached
            notes = reached
        return notes

    def _check(self, proposed: str) -> Generator[Event, None, bool]:
        yield from self._begin(StepKind.CHECK)
        reply = yield from self._reply(self._wordings.check.format(answer=proposed))
        return is_refuted(reply, self._wordings)

    def _reply(self, words: str) -> Generator[Event, None, str]:
        limits = ReplyLimits(self._step_tokens + NOTES_TOKENS, self._next_budget, NOTES_TOKENS)
        yield from self._replier.reply(self._render(words), limits, Channel.THOUGHT)
        return self._answer.reply_text

    def _begin(self, kind: StepKind) -> Iterator[Event]:
        if kind is StepKind.THINK:
            self._step += 1
        yield StepStarted(self._answer.request_id, self._step, self._max_steps, kind)
        heading = labels_of(self._wordings).heading(self._step, kind)
        yield from self._answer.begin_step(heading, thinks=kind is StepKind.THINK)
