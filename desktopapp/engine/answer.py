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
from desktopapp.engine.reasoning.thought_parser import ThoughtParser
from desktopapp.engine.utf8 import Utf8Assembler


class Answer:
    """Follows one request from its start to its `Finished`.

    Args:
        request_id: the request.
        began_s: `time.perf_counter()` at its start.
        model_name: of the model that was asked for, until one is ready.
    """

    def __init__(self, request_id: str, began_s: float, model_name: str) -> None:
        self._request_id = request_id
        self._began_s = began_s
        self._model_name = model_name
        self._model: ModelReady | None = None
        self._media: Sequence[AttachedItem] = ()
        self._characters = Utf8Assembler()
        self._parser = ThoughtParser(opened=False)
        self._texts: dict[Channel, list[str]] = {channel: [] for channel in Channel}
        self._prompt_tokens = self._cached_tokens = self._new_tokens = self._peak_bytes = 0
        self._first_token_s = self._last_token_s = 0.0

    def begin(self, model: ModelReady, media: Sequence[AttachedItem], *, opens_thought: bool) -> None:
        """Tell what answers, with which pictures and videos, and whether its output begins inside a thought."""
        self._model = model
        self._media = media
        self._parser = ThoughtParser(opened=opens_thought)

    def take(self, step: GenerationStep) -> Iterator[Event]:
        """The events that a backend's step means."""
        if isinstance(step, TokenAdded):
            self._last_token_s = time.perf_counter()
            self._first_token_s = self._first_token_s or self._last_token_s
            self._new_tokens += 1
            yield from self._added(self._parser.feed(self._characters.feed(step.data)))
        elif isinstance(step, PromptProgress):
            self._prompt_tokens, self._cached_tokens = step.total_tokens, step.cached_tokens
            yield PrefillProgress(self._request_id, step.done_tokens, step.total_tokens)
        elif isinstance(step, ImageEvaluated):
            item = self._media[step.index]
            yield AttachmentRead(self._request_id, item.path, item.width, item.height, step.tokens, item.note)
        elif isinstance(step, GenerationEnded):
            self._peak_bytes = step.peak_bytes

    def finish(self, reason: FinishReason) -> Iterator[Event]:
        """Give out what was held back, then the whole answer with its figures."""
        yield from self._added(self._parser.feed(self._characters.finish()))
        yield from self._added(self._parser.finish())
        text, thought = ("".join(self._texts[c]) for c in (Channel.ANSWER, Channel.THOUGHT))
        yield Finished(self._request_id, text, thought, reason, self._stats())

    def _added(self, pieces: Iterator[tuple[Channel, str]]) -> Iterator[Event]:
        for channel, text in pieces:
            self._texts[channel].append(text)
            yield TextAdded(self._request_id, channel, text)

    def _stats(self) -> Stats:
        decode_s = self._last_token_s - self._first_token_s
        return Stats(
            backend=self._model.backend if self._model else "",
            backend_reason=self._model.reason if self._model else "",
            model=self._model.model if self._model else self._model_name,
            mode=self._model.kind if self._model else "",
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            new_tokens=self._new_tokens,
            time_to_first_token_s=self._first_token_s - self._began_s if self._new_tokens else None,
            decode_tokens_per_s=(self._new_tokens - 1) / decode_s if decode_s > 0 else None,
            peak_bytes=self._peak_bytes,
        )
