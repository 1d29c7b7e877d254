"""One answer in the making: a backend's steps become events, texts and measured figures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from desktopapp.engine.attached_media import AttachedItem
from desktopapp.engine.backend import (
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Finished,
    FinishReason,
    ModelReady,
    PrefillProgress,
    Stats,
    TextAdded,
)
from desktopapp.engine.price_events import Planned
from desktopapp.engine.reasoning.thought_parser import ThoughtParser
from desktopapp.engine.reasoning_events import ThoughtEnd, ThoughtEnded, ThoughtProgress
from desktopapp.engine.request import BegunAnswer
from desktopapp.engine.utf8 import Utf8Assembler
from desktopapp.engine.zoom.call_filter import CallFilter

_TELL_THOUGHT_PERIOD_S = 0.25


class Answer:
    """Follows one request from its start to its `Finished`.

    A request is one or more replies: staged reasoning has one a step, all but the last of which are thought.

    Args:
        request_id: the request.
        began_s: `time.perf_counter()` at its start.
        model_name: of the model that was asked for, until one is ready.

    Attributes:
        prompt_tokens: of the prompt that was evaluated last.
        thought_tokens: of all thoughts.
    """

    def __init__(self, request_id: str, began_s: float, model_name: str) -> None:
        self.request_id = request_id
        self.prompt_tokens = 0
        self.thought_tokens = 0
        self._began_s = began_s
        self._model_name = model_name
        self._model: ModelReady | None = None
        self._media: Sequence[AttachedItem] = ()
        self._characters = Utf8Assembler()
        self._parser = ThoughtParser(opened=False)
        self._texts: dict[Channel, list[str]] = {channel: [] for channel in Channel}
        self._calls: CallFilter | None = None
        self._reply: list[str] = []
        self._reply_thought: list[str] = []
        self._thought_said: list[str] = []
        self._reply_channel = Channel.ANSWER
        self._goes_on = False
        self._budget_tokens = 0
        self._told_thought_s = 0.0
        self._first_prompt: PromptProgress | None = None
        self._is_first_prompt = True
        self._new_tokens = self._begun_tokens = self._peak_bytes = self._steps = 0
        self._kv_tokens = self._kv_peak_tokens = self._kv_peak_bytes = 0
        self._planned_peak_bytes = 0
        self._first_token_s = self._last_token_s = 0.0
        self._first_thought_s = self._last_thought_s = 0.0
        self._thought_end = ""

    def begin(self, model: ModelReady, media: Sequence[AttachedItem]) -> None:
        """Tell what answers, with which pictures and videos."""
        self._model = model
        self._media = media

    def take_up(self, begun: BegunAnswer, thought_tokens: int, text_tokens: int) -> None:
        """Tell what was streamed of this answer in an earlier run.

        Args:
            begun: it.
            thought_tokens: of its thought.
            text_tokens: of the rest.
        """
        self._texts = {Channel.THOUGHT: [begun.thought], Channel.ANSWER: [begun.text]}
        self._thought_said = [begun.thought]
        self.thought_tokens = thought_tokens
        self._begun_tokens = thought_tokens + text_tokens
        self._steps = begun.steps

    def begin_reply(
        self,
        *,
        opens_thought: bool,
        channel: Channel = Channel.ANSWER,
        budget_tokens: int = 0,
        holds_calls: bool = False,
        was_closed: bool = False,
    ) -> None:
        """Tell that a new reply begins.

        Args:
            opens_thought: the output begins inside a thought.
            channel: of what stands behind the thought.
            budget_tokens: that all thought may become, for display.
            holds_calls: a tool's call behind the thought is held back for `take_call`.
            was_closed: the thought before it was closed for the model.
        """
        self._parser = ThoughtParser(opened=opens_thought, was_closed=was_closed)
        self._calls = CallFilter() if holds_calls else None
        self._is_first_prompt = self._first_prompt is None
        self._reply, self._reply_thought = [], []
        self._reply_channel = channel
        self._goes_on = False
        self._budget_tokens = budget_tokens

    def go_on_from(self, written: str, text: str) -> None:
        """Tell what stands already at the begin of the reply that was just begun; nothing of it is told again.

        Args:
            written: as the model would have written it, tags included.
            text: of it, what stands behind the thought.
        """
        pieces = self._parser.feed(written)
        self._reply_thought = [piece for channel, piece in pieces if channel is Channel.THOUGHT]
        self._reply = [text] if text else []

    def go_on(self) -> None:
        """Tell that the next steps of the backend go on with the same reply: its prompt is no news."""
        self._goes_on = True
        self._is_first_prompt = False

    def begin_step(self, heading: str, *, thinks: bool) -> Iterator[Event]:
        """Tell that a step of staged reasoning begins.

        Args:
            heading: of its thought, or empty.
            thinks: it counts as a step.
        """
        self._steps += thinks
        self._is_first_prompt = self._first_prompt is None
        if gap := "\n\n" if self._texts[Channel.THOUGHT] else "":
            yield from self.add_text(Channel.THOUGHT, gap)
        if heading:
            yield from self.add_text(Channel.THOUGHT, f"**{heading}**\n\n")

    def begin_paragraph(self) -> Iterator[Event]:
        """Tell that the next reply goes on with the answer behind an interruption."""
        for channel, texts in self._texts.items():
            if texts:
                yield from self.add_text(channel, "\n\n")

    @property
    def inside_thought(self) -> bool:
        """Whether a thought is open."""
        return self._parser.inside_thought

    @property
    def thought_end(self) -> str:
        """A value of `ThoughtEnd`: why the last thought ended; empty before that."""
        return self._thought_end

    @property
    def reply_text(self) -> str:
        """What the reply says behind its thought so far."""
        return "".join(self._reply)

    @property
    def reply_thought(self) -> str:
        """The thought of the reply so far, what it went on from included."""
        return "".join(self._reply_thought)

    @property
    def new_tokens(self) -> int:
        """Generated so far, in all replies."""
        return self._new_tokens

    @property
    def context_used(self) -> int:
        """Tokens of the last prompt and of what was generated behind it."""
        return self._kv_tokens

    @property
    def has_call(self) -> bool:
        """Whether the reply holds a tool's whole call."""
        return self._calls is not None and self._calls.is_complete

    @property
    def holds_call(self) -> bool:
        """Whether a tool's call was held back, whole or not."""
        return self._calls is not None and self._calls.has_begun

    def take_call(self) -> str:
        """The call that was held back of the reply, with its tags; empty for none."""
        return self._calls.take_call() if self._calls is not None else ""

    def add_reply_text(self, text: str) -> Iterator[Event]:
        """Add to the reply what was held back of it."""
        yield from self._behind_thought(text)

    @property
    def thought_said(self) -> str:
        """All that the model thought so far, without the steps' headings and notes."""
        return "".join(self._thought_said)

    def follow_plan(self, planned: Planned) -> None:
        """Tell how the request was planned to run."""
        self._planned_peak_bytes = planned.comparable_peak_bytes

    def take(self, step: GenerationStep) -> Iterator[Event]:
        """The events that a backend's step means."""
        if isinstance(step, TokenAdded):
            yield from self._take_token(step)
        elif isinstance(step, PromptProgress):
            if self._is_first_prompt:
                self._first_prompt = step
            self.prompt_tokens = self._kv_tokens = step.total_tokens
            self._kv_peak_tokens = max(self._kv_peak_tokens, step.total_tokens)
            if not self._goes_on:
                yield PrefillProgress(self.request_id, step.done_tokens, step.total_tokens)
        elif isinstance(step, ImageEvaluated):
            if self._is_first_prompt:
                item = self._media[step.index]
                yield AttachmentRead(
                    self.request_id, item.path, item.width, item.height, step.tokens, item.note
                )
        elif isinstance(step, GenerationEnded):
            self._peak_bytes = max(self._peak_bytes, step.peak_bytes)

    def add_text(self, channel: Channel, text: str) -> Iterator[Event]:
        """Add words that the model did not write."""
        self._texts[channel].append(text)
        yield TextAdded(self.request_id, channel, text)

    def close_thought(self, reason: ThoughtEnd) -> Iterator[Event]:
        """Tell that the open thought was closed by force: what comes next stands behind it."""
        yield from self._added(self._parser.feed(self._characters.finish()))
        yield from self._added(self._parser.close())
        self._thought_end = reason
        yield ThoughtEnded(self.request_id, self.thought_tokens, reason)

    def end_reply(self) -> Iterator[Event]:
        """Give out what was held back of the reply."""
        yield from self._added(self._parser.feed(self._characters.finish()))
        yield from self._added(self._parser.finish())
        if self._calls is not None and (held := self._calls.flush()):
            yield from self._behind_thought(held)

    def note_kv(self, size_bytes: int) -> None:
        """Take note of how large the KV cache is now."""
        self._kv_peak_bytes = max(self._kv_peak_bytes, size_bytes)

    def finish(self, reason: FinishReason) -> Iterator[Event]:
        """Give out what was held back, then the whole answer with its figures."""
        yield from self.end_reply()
        text, thought = ("".join(self._texts[c]) for c in (Channel.ANSWER, Channel.THOUGHT))
        yield Finished(self.request_id, text, thought, reason, self.stats())

    def _take_token(self, step: TokenAdded) -> Iterator[Event]:
        self._last_token_s = time.perf_counter()
        self._first_token_s = self._first_token_s or self._last_token_s
        self._new_tokens += 1
        self._kv_tokens += 1
        self._kv_peak_tokens = max(self._kv_peak_tokens, self._kv_tokens)
        was_inside = self.inside_thought
        yield from self._added(self._parser.feed(self._characters.feed(step.data)))
        if self.inside_thought:
            self.thought_tokens += 1
            self._last_thought_s = self._last_token_s
            self._first_thought_s = self._first_thought_s or self._last_token_s
            if self._last_token_s - self._told_thought_s >= _TELL_THOUGHT_PERIOD_S:
                self._told_thought_s = self._last_token_s
                yield ThoughtProgress(self.request_id, self.thought_tokens, self._budget_tokens)
        elif was_inside:
            self._thought_end = ThoughtEnd.MODEL
            yield ThoughtEnded(self.request_id, self.thought_tokens, ThoughtEnd.MODEL)

    def _added(self, pieces: Iterator[tuple[Channel, str]]) -> Iterator[Event]:
        for channel, text in pieces:
            if channel is Channel.THOUGHT:
                self._reply_thought.append(text)
                self._thought_said.append(text)
                self._texts[channel].append(text)
                yield TextAdded(self.request_id, channel, text)
                continue
            shown = self._calls.feed(text) if self._calls is not None else text
            if shown:
                yield from self._behind_thought(shown)

    def _behind_thought(self, text: str) -> Iterator[Event]:
        channel = self._reply_channel
        if channel is Channel.THOUGHT and not self._reply:
            self._texts[channel].append("\n\n")
            yield TextAdded(self.request_id, channel, "\n\n")
        self._reply.append(text)
        self._texts[channel].append(text)
        yield TextAdded(self.request_id, channel, text)

    def stats(self) -> Stats:
        """Measured figures so far."""
        decode_s = self._last_token_s - self._first_token_s
        prompt = self._first_prompt
        return Stats(
            backend=self._model.backend if self._model else "",
            backend_reason=self._model.reason if self._model else "",
            model=self._model.model if self._model else self._model_name,
            mode=self._model.kind if self._model else "",
            prompt_tokens=prompt.total_tokens if prompt else 0,
            cached_tokens=prompt.cached_tokens if prompt else 0,
            new_tokens=self._begun_tokens + self._new_tokens,
            time_to_first_token_s=self._first_token_s - self._began_s if self._new_tokens else None,
            decode_tokens_per_s=(self._new_tokens - 1) / decode_s if decode_s > 0 else None,
            peak_bytes=self._peak_bytes,
            thought_tokens=self.thought_tokens,
            steps=self._steps,
            kv_peak_bytes=self._kv_peak_bytes,
            kv_peak_tokens=self._kv_peak_tokens,
            planned_peak_bytes=self._planned_peak_bytes,
            thought_s=self._last_thought_s - self._first_thought_s,
            thought_end=self._thought_end,
        )
