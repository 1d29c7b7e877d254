"""A question about more than one prompt holds: answered part by part, then made one answer, in rounds.

Entry point: `LongJob(request, answer_once, headers).run(cancel)`. `answer_once` is asked for the whole first. It says
that the whole does not fit by yielding a `Failed` of `PromptTooLong`, `DoesNotFit` or `NeedsSegments` before any text; then the longest
document or video of the question is cut. Into how many parts is read from the values of that `Failed`: `segments` is the
number itself, else `tokens` and `limit` say what is needed and what one prompt holds; else it is two. A part
that is refused in the same way is halved, down to one page or some seconds. Where the question has nothing to cut, and files
of earlier turns are what does not fit, it is answered without those.

Each part that is answered is told of by a `StretchAnswered`. A request that has them back in `Request.job` goes
on behind them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

from desktopapp.attachment_errors import AttachmentError
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import (
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    RequestStarted,
    Stats,
    TextAdded,
)
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.media_events import StretchAnswered
from desktopapp.engine.request import AnsweredStretch, JobSoFar, Request
from desktopapp.engine.segments import (
    Segment,
    cut_request,
    is_chinese,
    merge_request,
    parts_needed,
    segment_of,
    segment_request,
    without_earlier_files,
)
from desktopapp.errors import (
    DoesNotFit,
    NeedsSegments,
    PromptTooLong,
)

_TOO_LONG = {PromptTooLong.__name__, DoesNotFit.__name__, NeedsSegments.__name__}
_MOST_PARTS = 2_000
_WORDS_ONLY = (
    "Files of earlier questions do not fit any more; this is answered from what was said about them."
)
_WORDS_ONLY_CHINESE = "先前问题中的文件已放不下；以下回答只依据已有的对话文字。"

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
        job = self._request.job
        if job is not None and (known := self._segments_of(job)):
            yield from self._resume(job, known, cancel)
            return
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
        if len(segments) > 1:
            yield from self._take_up_begun()
            yield from self._run_segments(segments, cancel)
        elif any(turn.attachments for turn in self._request.turns[:-1]):
            yield from self._take_up_begun()
            yield from self._answer_from_words(cancel)
        else:
            yield refused

    def _answer_from_words(self, cancel: CancelToken) -> Iterator[Event]:
        """Behind a long job its file would be in the way of every further question: leave earlier files out, and say so."""
        note = _WORDS_ONLY_CHINESE if self._in_chinese else _WORDS_ONLY
        request = replace(self._request, turns=without_earlier_files(self._request.turns))
        end = yield from self._answer(request, f"*{note}*\n\n", cancel)
        yield end if isinstance(end, Failed) else self._finished(end.finish_reason)

    def _segments_of(self, job: JobSoFar) -> list[Segment]:
        """All parts, those that are done first; nothing where they are not this question's."""
        stretches = [*(one.stretch for one in job.answered), *job.waiting]
        found = [segment_of(self._request, stretch) for stretch in stretches]
        segments = [segment for segment in found if segment is not None]
        return segments if job.answered and 1 < len(segments) == len(stretches) else []

    def _resume(self, job: JobSoFar, segments: list[Segment], cancel: CancelToken) -> Iterator[Event]:
        """Say again what was said of the parts that are done, then go on with those that wait."""
        yield RequestStarted(self._request.request_id)
        answers: list[tuple[str, str]] = []
        is_told = self._request.begun is not None
        yield from self._take_up_begun()
        for segment, answered in zip(segments, job.answered, strict=False):
            label = segment.label(in_chinese=self._in_chinese)
            answers.append((label, answered.text))
            if not is_told:
                yield self._write(f"{_heading(label, len(answers), len(segments))}{answered.text}\n\n")
        yield from self._run_segments(segments[len(answers) :], cancel, answers)

    def _take_up_begun(self) -> Iterator[Event]:
        """What was streamed before a run broke off stays; the part that it broke off in begins again below it."""
        begun = self._request.begun
        if begun is None:
            return
        self._request = replace(self._request, begun=None)
        self._written.append(begun.text)
        self._thought.append(begun.thought)
        if begun.text and not begun.text.endswith("\n\n"):
            yield self._write("\n\n")

    def _cut(self, refused: Failed) -> list[Segment]:
        """As many segments as the refusal says that are needed, or two."""
        needed, limit, parts = (
            int(refused.values.get(name, 0) or 0) for name in ("tokens", "limit", "segments")
        )
        if parts < 2:
            parts = parts_needed(needed, limit) if limit else 2
        try:
            return cut_request(self._request, self._headers, min(parts, _MOST_PARTS))
        except AttachmentError:
            return []

    def _run_segments(
        self, segments: list[Segment], cancel: CancelToken, answers: list[tuple[str, str]] | None = None
    ) -> Iterator[Event]:
        answers = answers or []
        waiting = list(segments)
        while waiting:
            segment = waiting.pop(0)
            label, total = segment.label(in_chinese=self._in_chinese), len(answers) + len(waiting) + 1
            asked = segment_request(self._request, segment, len(answers) + 1, total)
            heading = _heading(label, len(answers) + 1, total)
            end = yield from self._answer(asked, heading, cancel)
            if isinstance(end, Failed) and end.error in _TOO_LONG and (halves := segment.halves()):
                waiting = halves + waiting
                continue
            if isinstance(end, Failed):
                yield end
                return
            if end.finish_reason is FinishReason.CANCELLED:
                yield self._finished(FinishReason.CANCELLED)
                return
            answers.append((label, end.text))
            yield StretchAnswered(
                self._request.request_id,
                AnsweredStretch(segment.stretch, end.text),
                tuple(one.stretch for one in waiting),
            )
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
                if isinstance(event, RequestStarted):
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


def _heading(label: str, number: int, total: int) -> str:
    return f"**{label}** ({number}/{total})\n\n"
