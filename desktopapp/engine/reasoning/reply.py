"""One reply of a model: a thought that always ends, and behind it words that are never empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from desktopapp.engine.answer import Answer
from desktopapp.engine.backend import GenerationEnded, GenerationStep, TokenAdded
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.chat_prompt import ChatPrompt
from desktopapp.engine.events import Channel, Event, FinishReason
from desktopapp.engine.prompt_parts import PromptPart, TextPart, TokensPart
from desktopapp.engine.reasoning.begun_reply import BegunReply
from desktopapp.engine.reasoning.loops import LoopDetector
from desktopapp.engine.reasoning.stage_labels import labels_of
from desktopapp.engine.reasoning.stage_prompts import THOUGHT_CLOSING, StagePrompts
from desktopapp.engine.reasoning.thought_parser import CLOSING
from desktopapp.engine.reasoning_events import ThoughtEnd
from desktopapp.engine.zoom.call import CALL_CLOSING
from desktopapp.errors import AnswerEmpty

LARGEST_RESERVE_TOKENS = 1024
"""Kept free for the answer behind a thought; of a short output limit a quarter is."""

_KV_EVERY_TOKENS = 64
_LAST_SENTENCE_TOKENS = 64
"""So close to its limit, or within the last third of it, a thought is closed at a sentence's end."""
# Behind a digit a full stop ends a sentence only if a space follows: it may be a decimal point.
_SENTENCE_END = re.compile(r"(?:[^\d\s][.!?]|[。！？\n]|[.!?]\s)$")

Generate = Callable[[Sequence[PromptPart], int], Iterator[GenerationStep]]
"""Runs a prompt with a limit of new tokens; the rest of `Backend.generate` is settled."""


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """How long a reply may become.

    Args:
        new_tokens: thought included, above zero.
        thought_tokens: of its thought; None for what the others leave, 0 for no thought at all.
        reply_tokens: behind the thought; None for what the others leave.
        ends_at_sentence: a thought that comes close to `thought_tokens` is closed where a sentence of it ends.
    """

    new_tokens: int
    thought_tokens: int | None = None
    reply_tokens: int | None = None
    ends_at_sentence: bool = False

    @property
    def reserve_tokens(self) -> int:
        """Kept for what stands behind the thought."""
        wanted = self.reply_tokens or LARGEST_RESERVE_TOKENS
        return max(1, min(wanted, LARGEST_RESERVE_TOKENS, self.new_tokens // 4))


class Replier:
    """Gets replies out of a loaded model.

    Args:
        generate: runs a prompt.
        answer: takes every token.
        cancel: ends everything, or the thought that runs.
        context_tokens: longest prompt plus output.
        kv_bytes: what the KV cache has allocated now.
        wordings: for the words that lead to an answer where the model finds none.
    """

    def __init__(
        self,
        generate: Generate,
        answer: Answer,
        cancel: CancelToken,
        context_tokens: int,
        kv_bytes: Callable[[], int],
        wordings: StagePrompts,
    ) -> None:
        self._generate = generate
        self._answer = answer
        self._cancel = cancel
        self._context_tokens = context_tokens
        self._kv_bytes = kv_bytes
        self._wordings = wordings
        self.transcript: tuple[PromptPart, ...] = ()
        """The last reply's prompt and what was generated behind it: a prompt to go on from."""

    least_reply_tokens = 64
    """A further reply is not worth beginning with less room."""

    def reply(
        self,
        prompt: ChatPrompt,
        limits: ReplyLimits,
        channel: Channel = Channel.ANSWER,
        *,
        holds_calls: bool = False,
        begun: BegunReply | None = None,
        fallback: str = "",
    ) -> Generator[Event, None, FinishReason]:
        """Run a prompt to the end of its reply.

        Args:
            prompt: of a conversation.
            limits: of the reply.
            channel: of what stands behind the thought.
            holds_calls: the reply ends at a tool's call, which `Answer.take_call` then has.
            begun: what stands already of the reply; None for nothing.
            fallback: the answer of a model that stays silent; empty for the last line of its thought.

        Raises:
            AnswerEmpty: the model wrote nothing at all, asked twice.
        """
        run = _Run(self._answer, self._cancel, limits, self._context_tokens, self._kv_bytes)
        self._answer.begin_reply(
            opens_thought=prompt.opens_thought,
            channel=channel,
            budget_tokens=run.shown_budget,
            holds_calls=holds_calls,
        )
        parts = list(prompt.parts)
        if begun is not None:
            parts += begun.parts(opens_thought=prompt.opens_thought)
            self._answer.go_on_from(begun.written(opens_thought=prompt.opens_thought), begun.text)
            run.count_begun(begun)
        reason = FinishReason.LENGTH
        if limits.thought_tokens != 0 or not self._answer.inside_thought:
            reason = yield from run.follow(self._generate(parts, run.left_tokens))
        if self._answer.inside_thought:
            own_end = ThoughtEnd.MODEL if reason is FinishReason.STOP else ThoughtEnd.BUDGET
            yield from self._answer.close_thought(run.thought_end or own_end)
            parts = [*parts, TokensPart(run.take_tokens()), TextPart(THOUGHT_CLOSING)]
            reason = yield from self._go_on(parts, run)
        yield from self._answer.end_reply()
        if self._answer.holds_call:
            is_whole = self._answer.has_call
            closing = () if is_whole else (TextPart(CALL_CLOSING),)  # it ended its turn within the call
            self.transcript = (*parts, TokensPart(run.take_tokens()), *closing)
            return FinishReason.STOP if is_whole else reason
        if not self._answer.reply_text.strip() and (prompt.opens_thought or self._answer.thought_tokens):
            parts.append(TokensPart(run.take_tokens()))
            reason = yield from self._insist(parts, run, channel, fallback)
        return reason

    def _go_on(self, parts: Sequence[PromptPart], run: _Run) -> Generator[Event, None, FinishReason]:
        self._answer.go_on()
        return (yield from run.follow(self._generate(parts, run.left_tokens)))

    def _insist(
        self, parts: Sequence[PromptPart], run: _Run, channel: Channel, fallback: str
    ) -> Generator[Event, None, FinishReason]:
        """The model ended its turn without a word: lead it into one, else take what it has for it."""
        thought = self._answer.thought_said
        lead = labels_of(self._wordings).lead
        self._answer.begin_reply(opens_thought=False, channel=channel, was_closed=True)
        gap = "\n\n" if channel is Channel.THOUGHT else ""
        yield from self._answer.add_text(channel, gap + lead)
        reason = yield from self._go_on([*parts, TextPart(lead)], run)
        yield from self._answer.end_reply()
        if self._answer.reply_text.strip() or channel is Channel.THOUGHT:
            return reason
        lines = reversed(thought.splitlines())
        last = fallback or next((line for line in lines if line.strip()), "")
        if not last:
            raise AnswerEmpty
        yield from self._answer.add_text(channel, f": {last.strip()}")
        return reason


class _Run:
    """Follows the generations of one reply: counts, and ends a thought that is long enough."""

    def __init__(
        self,
        answer: Answer,
        cancel: CancelToken,
        limits: ReplyLimits,
        context_tokens: int,
        kv_bytes: Callable[[], int],
    ) -> None:
        self._answer = answer
        self._cancel = cancel
        self._limits = limits
        self._context_tokens = context_tokens
        self._kv_bytes = kv_bytes
        self._loops = LoopDetector()
        self._tokens: list[int] = []
        self._used = 0
        self._thought = 0
        self._behind = self._begun = 0
        self._tail = ""
        self.thought_end: ThoughtEnd | None = None

    @property
    def shown_budget(self) -> int:
        """Tokens that all thoughts may have taken at this reply's end."""
        return self._answer.thought_tokens + self._budget

    @property
    def left_tokens(self) -> int:
        """New tokens that are still allowed; behind a thought at least what was kept for it, begun text included."""
        kept = self._limits.reserve_tokens - self._begun
        return max(1, kept, self._limits.new_tokens - self._used)

    def count_begun(self, begun: BegunReply) -> None:
        """Take note of what stands already; it counts against the limits."""
        self._used += begun.thought_tokens + begun.text_tokens
        self._thought += begun.thought_tokens
        self._behind += begun.text_tokens
        self._begun = begun.text_tokens

    def take_tokens(self) -> tuple[int, ...]:
        """What was generated since the last call; of too much for the context, the beginning."""
        tokens, self._tokens = self._tokens, []
        room = self._context_tokens - self._answer.prompt_tokens - self._limits.reserve_tokens
        return tuple(tokens[: max(0, room)])

    def follow(self, steps: Iterator[GenerationStep]) -> Generator[Event, None, FinishReason]:
        """Take a generation's steps until it ends, or its thought or its reply is long enough."""
        self.thought_end = None
        try:
            for step in steps:
                if isinstance(step, TokenAdded):
                    if self._begins_sentence(step):
                        self.thought_end = ThoughtEnd.BUDGET
                        return FinishReason.LENGTH
                    yield from self._take(step)
                    if self._is_over(step):
                        return FinishReason.LENGTH
                else:
                    yield from self._answer.take(step)
                if isinstance(step, GenerationEnded):
                    self._answer.note_kv(self._kv_bytes())
                    return step.reason
        finally:
            if isinstance(steps, Generator):
                steps.close()
        raise RuntimeError("the backend stopped without saying why")

    @property
    def _budget(self) -> int:
        limits = self._limits
        left = limits.new_tokens - limits.reserve_tokens
        return left if limits.thought_tokens is None else min(limits.thought_tokens, left)

    def _take(self, step: TokenAdded) -> Iterator[Event]:
        self._tokens.append(step.token_id)
        self._used += 1
        if not self._used % _KV_EVERY_TOKENS:
            self._answer.note_kv(self._kv_bytes())
        yield from self._answer.take(step)
        if self._answer.inside_thought:
            self._thought += 1
        else:
            self._behind += 1

    def _is_over(self, step: TokenAdded) -> bool:
        if self._answer.has_call:
            return True
        if not self._answer.inside_thought:
            return self._limits.reply_tokens is not None and self._behind >= self._limits.reply_tokens
        text = step.data.decode("utf-8", "replace")
        self._tail = (self._tail + text)[-2:]
        if self._cancel.answer_wanted:
            self.thought_end = ThoughtEnd.ASKED
        elif self._thought >= self._most:
            self.thought_end = ThoughtEnd.BUDGET
        elif self._loops.add(step.token_id, text):
            self.thought_end = ThoughtEnd.LOOP
        return self.thought_end is not None

    def _begins_sentence(self, step: TokenAdded) -> bool:
        """Whether a token begins a further sentence of a thought that is close to its longest length.

        The thought is closed before that token. Not at the sentence's end already: the model may be about to close it itself,
        and a thought that is complete is not to be told that it was cut.
        """
        if not self._limits.ends_at_sentence or not self._answer.inside_thought:
            return False
        near = self._most - min(_LAST_SENTENCE_TOKENS, self._most // 3)
        if self._thought < near or _SENTENCE_END.search(self._tail) is None:
            return False
        text = step.data.decode("utf-8", "replace").strip()
        return bool(text) and not CLOSING.startswith(text[: len(CLOSING)])

    @property
    def _most(self) -> int:
        """Tokens of the thought that limits and context allow."""
        return min(
            self._budget, self._context_tokens - self._answer.prompt_tokens - self._limits.reserve_tokens
        )
