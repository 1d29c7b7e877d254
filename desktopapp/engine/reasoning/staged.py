"""Staged reasoning: thinks in steps whose memory is that of one step, whatever they add up to.

Every step is a prompt of its own: the conversation, the question, the notes of the step before and, where its thought was
cut, that thought's last sentences, behind which the next one goes on. Notes alone are a model's word for what it thought;
the sentences are the thought itself. Backends keep the KV of what two prompts have in common, so the conversation with its
pictures is evaluated once, and each step takes the place of the one before it in the KV cache.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from desktopapp.engine.answer import Answer
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.chat_prompt import ChatPrompt
from desktopapp.engine.events import Channel, Event, FinishReason
from desktopapp.engine.reasoning.begun_reply import BegunReply
from desktopapp.engine.reasoning.carried_thought import MOST_TOKENS, last_sentences
from desktopapp.engine.reasoning.notes import (
    NO_NOTES,
    Notes,
    answer_sentence,
    last_notes,
    read_notes,
    read_refutation,
    write_notes,
)
from desktopapp.engine.reasoning.reply import LARGEST_RESERVE_TOKENS, Replier, ReplyLimits
from desktopapp.engine.reasoning.stage_labels import labels_of
from desktopapp.engine.reasoning.stage_prompts import StagePrompts
from desktopapp.engine.reasoning_events import StepKind, StepStarted, ThoughtEnd

NOTES_TOKENS = 512
"""Most tokens of a carry-over or a verdict."""

_COMPARISON_TOKENS = 64
"""A check does one step's work again and says what it compares: that much of the verdict's room goes to its thought."""


@dataclass(frozen=True, slots=True)
class _Thought:
    """How far the steps came.

    Args:
        began: notes that the last step began with; empty for none.
        reached: notes that it ended with; empty before the first one.
        refuted: an answer that a check refuted and that the next step is told of.
    """

    began: Notes = NO_NOTES
    reached: Notes = NO_NOTES
    refuted: str = ""


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
        most_tokens: of all that is written, notes included, as the person set it; None for no limit but those. The notes of
            the step that comes to it, and what is kept for the answer, are still written.
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
        most_tokens: int | None = None,
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
        self._most_tokens = most_tokens
        self._step = 0

    def run(
        self, begun: BegunReply | None = None, steps_before: int = 0
    ) -> Generator[Event, None, FinishReason]:
        """Think, check, answer.

        A run that broke off goes on from the last notes that it came to; the step that it was in begins again.

        Args:
            begun: what it had streamed.
            steps_before: that had begun.
        """
        thought = _Thought()
        if begun is not None:
            thought = _Thought(reached=last_notes(begun.thought, self._wordings))
            if begun.text:
                return (yield from self._answer_from(thought, replace(begun, thought="", thought_tokens=0)))
            self._step = max(0, steps_before - 1)
        thought = yield from self._reason(thought)
        yield from self._begin(StepKind.ANSWER)
        return (yield from self._answer_from(thought, None))

    def _reason(self, thought: _Thought) -> Generator[Event, None, _Thought]:
        thought = yield from self._think(thought)
        if thought.reached.answer and not self._must_answer:
            thought = yield from self._check(thought)
        return thought

    def _answer_from(
        self, thought: _Thought, begun: BegunReply | None
    ) -> Generator[Event, None, FinishReason]:
        reached = thought.reached
        words = self._wordings.answer_from(reached.text)
        budget = self._budget_of(self._step_tokens)
        if begun is None and reached.answer and self._must_answer:
            # An empty thought looks like one that was cut before it found anything.
            begun, budget = BegunReply(answer_sentence(reached.answer, self._wordings), ""), 0
        elif begun is None and not reached.answer:
            begun = reached.begun_thought
        limits = ReplyLimits(budget + self._room_behind(budget), budget)
        prompt = self._render(words)
        return (yield from self._replier.reply(prompt, limits, begun=begun, fallback=reached.conclusion))

    def _room_behind(self, thought_tokens: int) -> int:
        """Tokens of the answer behind a last thought."""
        if self._most_tokens is None:
            return max(self._answer_tokens - self._answer.thought_tokens, LARGEST_RESERVE_TOKENS)
        kept = ReplyLimits(self._most_tokens).reserve_tokens
        return max(self._most_tokens - self._answer.new_tokens - thought_tokens, kept)

    @property
    def _left_tokens(self) -> int | None:
        """What thoughts may still take; None for no limit."""
        left = []
        if self._thought_budget is not None:
            left.append(self._thought_budget - self._answer.thought_tokens)
        if self._most_tokens is not None:
            kept = ReplyLimits(self._most_tokens).reserve_tokens
            left.append(self._most_tokens - kept - self._answer.new_tokens)
        return max(0, min(left)) if left else None

    @property
    def _must_answer(self) -> bool:
        return self._cancel.answer_wanted or self._left_tokens == 0

    @property
    def _may_think(self) -> bool:
        return self._step < self._max_steps and not self._must_answer

    def _budget_of(self, tokens: int) -> int:
        """So many tokens for the next thought, or what the limits of all leave of them."""
        left = self._left_tokens
        return tokens if left is None else min(tokens, left)

    def _think(self, thought: _Thought) -> Generator[Event, None, _Thought]:
        """Steps until nothing is open, they come to notes that they had before, or there may be no more."""
        had: set[Notes] = set()
        while not had or self._may_think:
            yield from self._begin(StepKind.THINK)
            began, refuted = thought.reached, thought.refuted
            asked = (
                self._wordings.further_step(began.text, refuted)
                if began.text
                else self._wordings.first_step(refuted)
            )
            reached = yield from self._reply(asked, began)
            thought = _Thought(began, reached)
            if reached.answer or reached in had:
                break
            had.add(reached)
        return thought

    def _check(self, thought: _Thought) -> Generator[Event, None, _Thought]:
        """Try to refute what the last step found; if that succeeds, do that step once more."""
        yield from self._begin(StepKind.CHECK)
        proposed = thought.reached.answer
        asked = self._wordings.check_of(proposed, thought.began.text)
        yield from self._reply(asked, thought.began, checks=True)
        right = read_refutation(self._answer.reply_text, self._wordings)
        if right is None:
            return thought
        if self._may_think:
            again = yield from self._think(_Thought(reached=thought.began, refuted=proposed))
            if again.reached.answer:
                return again
        return _Thought(reached=Notes(write_notes(right, self._wordings), right)) if right else thought

    def _reply(self, words: str, began: Notes, *, checks: bool = False) -> Generator[Event, None, Notes]:
        """Think and write notes; a thought that was cut before goes on behind its last sentences."""
        more = _COMPARISON_TOKENS if checks else 0
        limits = ReplyLimits(
            self._step_tokens + NOTES_TOKENS,
            self._budget_of(self._step_tokens + more),
            NOTES_TOKENS - more,
            ends_at_sentence=not checks,
        )
        tokens_before = self._answer.thought_tokens
        prompt = self._render(words)
        yield from self._replier.reply(prompt, limits, Channel.THOUGHT, begun=began.begun_thought)
        notes = read_notes(self._answer.reply_text, self._wordings)
        if self._answer.thought_end != ThoughtEnd.BUDGET:
            return notes
        thought = self._answer.reply_thought
        tokens = self._answer.thought_tokens - tokens_before
        characters_a_token = (len(thought) - len(began.thought)) / max(1, tokens)
        most = int(characters_a_token * min(self._step_tokens, MOST_TOKENS))
        return replace(notes, thought=last_sentences(thought, most))

    def _begin(self, kind: StepKind) -> Iterator[Event]:
        if kind is StepKind.THINK:
            self._step += 1
        yield StepStarted(self._answer.request_id, self._step, self._max_steps, kind)
        heading = labels_of(self._wordings).heading(self._step, kind)
        yield from self._answer.begin_step(heading, thinks=kind is StepKind.THINK)
