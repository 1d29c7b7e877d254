"""A question about more than one prompt holds: answered part by part, then made one answer, in rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import (
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    Planned,
    RequestStarted,
    Stats,
    TextAdded,
)
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.request import Request
from desktopapp.engine.segments import (
    Segment,
    cut_request,
    is_chinese,
    merge_request,
    parts_needed,
    segment_request,
)
from desktopapp.errors import AttachmentError, DoesNotFit, PromptTooLong

_TOO_LONG = {PromptTooLong.__name__, DoesNotFit.__name__}
_MOST_PARTS = 2_000

AnswerOnce: TypeAlias = Callable[[Request, CancelToken], Generator[Event, None, None]]


class LongJob:
    """Answers a request, in segments where it does not fit at once.

    Args:
        request: the question.
        answer_once: answers a request that fits; yields Failed where it does not.
        headers: reads files.
    """

    def __init__(self, request: Request, answer_once: AnswerOnce, headers: HeaderCache) -> None:
        self._request = request
        self._answer_once = answer_once
        self._headers = headers
        self._in_chinese = is_chinese(request.turns[-1].text) if request.turns else False
        self._written: list[str] = []
        self._thought: list[str] = []
        self._stats: Stats | None = None

    def run(self, cancel: CancelToken) -> Generator[Event, None, None]:
        """The events of an ordinary answer; what each segment says comes as text under a heading."""
        refused: Failed | None = None
        with closing(self._answer_once(self._request, cancel)) as events:
            for event in events:
                if isinstance(event, Failed) and event.error in _TOO_LONG:
                    refused = event
                    break
                yield event
        if refused is None:
            return
        segments = self._cut(refused)
        if len(segments) < 2:
            yield refused
            return
        yield from self._run_segments(segments, cancel)

    def _cut(self, refused: Failed) -> list[Segment]:
        """As many segments as the refusal says that are needed, or two."""
        needed, limit = (int(refused.values.get(name, 0) or 0) for name in ("tokens", "limit"))
        parts = parts_needed(needed, limit) if limit else 2
        try:
            return cut_request(self._request, self._headers, min(parts, _MOST_PARTS))
        except AttachmentError:
            return []

    def _run_segments(self, segments: list[Segment], cancel: CancelToken) -> Iterator[Event]:
        answers: list[tuple[str, str]] = []
        waiting = list(segments)
        while waiting:
            segment = waiting.pop(0)
            label, total = segment.label(in_chinese=self._in_chinese), len(answers) + len(waiting) + 1
            asked = segment_request(self._request, segment, len(answers) + 1, total)
            heading = f"**{label}** ({len(answers) + 1}/{total})\n\n"
            end = yield from self._answer(asked, heading, cancel)
            if isinstance(end, Failed) and end.error in _TOO_LONG and (halves := segment.halves()):
                waiting = halves + waiting
                continue
            if isinstance(end, Failed):
                yield end
                return
            answers.append((label, end.text))
            if end.finish_reason is FinishReason.CANCELLED:
                yield self._finished(FinishReason.CANCELLED)
                return
        yield from self._merge(answers, cancel)

    def _merge(self, answers: list[tuple[str, str]], cancel: CancelToken) -> Iterator[Event]:
        """Make one answer of all, in rounds of as many as fit."""
        heading = "**合并**\n\n" if self._in_chinese else "**Together**\n\n"
        at_once = len(answers)
        while len(answers) > 1:
            merged: list[tuple[str, str]] = []
            for start in range(0, len(answers), at_once):
                group = answers[start : start + at_once]
                if len(group) == 1:
                    merged += group
                    continue
                end = yield from self._answer(merge_request(self._request, group), heading, cancel)
                if isinstance(end, Failed) and end.error in _TOO_LONG and at_once > 2:
                    merged = []
                    break
                if isinstance(end, Failed):
                    yield end
                    return
                if end.finish_reason is FinishReason.CANCELLED:
                    yield self._finished(FinishReason.CANCELLED)
                    return
                merged.append((f"{group[0][0]} … {group[-1][0]}", end.text))
            if merged:
                answers = merged
            else:
                at_once = math.ceil(at_once / 2)
        yield self._finished(FinishReason.STOP)

    def _answer(
        self, request: Request, heading: str, cancel: CancelToken
    ) -> Generator[Event, None, Finished | Failed]:
        """One part; its text goes out as it comes, its end comes back. The heading waits for the first text."""
        with closing(self._answer_once(request, cancel)) as events:
            for event in events:
                if isinstance(event, Finished):
                    if self._written:
                        yield self._write("\n\n")
                    self._add_stats(event.stats)
                    return event
                if isinstance(event, Failed):
                    return event
                if isinstance(event, RequestStarted | Planned):
                    continue
                if isinstance(event, TextAdded) and event.channel is Channel.THOUGHT:
                    self._thought.append(event.text)
                elif isinstance(event, TextAdded):
                    if heading:
                        yield self._write(heading)
                        heading = ""
                    self._written.append(event.text)
                yield event
        raise RuntimeError("an answer ended without saying how")

    def _write(self, text: str) -> TextAdded:
        self._written.append(text)
        return TextAdded(self._request.request_id, Channel.ANSWER, text)

    def _add_stats(self, stats: Stats) -> None:
        before = self._stats
        if before is None:
            self._stats = stats
            return
        self._stats = replace(
            stats,
            prompt_tokens=before.prompt_tokens + stats.prompt_tokens,
            cached_tokens=before.cached_tokens + stats.cached_tokens,
            new_tokens=before.new_tokens + stats.new_tokens,
            thought_tokens=before.thought_tokens + stats.thought_tokens,
            time_to_first_token_s=before.time_to_first_token_s,
            peak_bytes=max(before.peak_bytes, stats.peak_bytes),
            kv_peak_bytes=max(before.kv_peak_bytes, stats.kv_peak_bytes),
            kv_peak_tokens=max(before.kv_peak_tokens, stats.kv_peak_tokens),
        )

    def _finished(self, reason: FinishReason) -> Finished:
        if self._stats is None:
            raise RuntimeError("no part was answered")
        text, thought = "".join(self._written), "".join(self._thought)
        return Finished(self._request.request_id, text, thought, reason, self._stats)
