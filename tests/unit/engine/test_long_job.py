"""What does not fit one prompt is answered in segments and merged, in as many rounds as it takes."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.commands import Generate
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    RequestStarted,
    Stats,
    TextAdded,
)
from desktopapp.engine.long_job import LongJob
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media_events import StretchAnswered
from desktopapp.engine.request import (
    AnsweredStretch,
    Attachment,
    BackendChoice,
    BegunAnswer,
    JobSoFar,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Stretch,
    Turn,
)
from desktopapp.engine.segments import cut_request, segment_request
from desktopapp.engine.steps import StepClock
from desktopapp.engine.wire import decode_command, encode_command
from desktopapp.modelstore import store
from tests.clips import write_clip
from tests.documents import write_document

PAGES = MediaSelection(dpi=40)


def make_engine() -> Engine:
    backend = FakeBackend(tokens_per_s=None, prefill_tokens_per_s=None)
    return Engine(store, {BackendChoice.FAKE: lambda: backend}, StepClock())


def ask(
    path: Path, context_tokens: int, text: str = "Sum it up", selection: MediaSelection = PAGES
) -> Request:
    choice = ModelChoice("fake", BackendChoice.FAKE, context_tokens=context_tokens)
    turns = (
        Turn(Role.USER, "Hi"),
        Turn(Role.ASSISTANT, "Hello."),
        Turn(Role.USER, text, (Attachment(str(path), selection),)),
    )
    return Request("r", choice, turns, sampling=SamplingOverrides(temperature=0.0), max_new_tokens=60)


def run(request: Request, cancel: CancelToken | None = None) -> list[Event]:
    engine = make_engine()
    events = list(engine.generate(request, cancel or CancelToken()))
    engine.unload()
    return events


def document(folder: Path, pages: int) -> Path:
    return write_document(folder / "long.pdf", [f"Page {number}" for number in range(pages)])


def headings(text: str) -> list[str]:
    return re.findall(r"\*\*((?:Pages? |第 )[^*]+|[\d:.]+–[\d:.]+)\*\*", text)


def test_what_fits_is_answered_at_once(tmp_path: Path) -> None:
    events = run(ask(document(tmp_path, 3), 20_000))
    end = events[-1]
    assert isinstance(end, Finished)
    assert headings(end.text) == []
    assert len([e for e in events if isinstance(e, AttachmentRead)]) == 3


@pytest.mark.parametrize(("pages", "context"), [(40, 3_000), (100, 4_000)])
def test_every_page_is_read_once_and_named(tmp_path: Path, pages: int, context: int) -> None:
    events = run(ask(document(tmp_path, pages), context))
    end = events[-1]
    assert isinstance(end, Finished), end
    assert len([e for e in events if isinstance(e, AttachmentRead)]) == pages
    spans = [tuple(map(int, re.findall(r"\d+", heading))) for heading in headings(end.text)]
    covered = [page for span in spans for page in range(span[0], span[-1] + 1)]
    assert covered == list(range(1, pages + 1))
    assert "**Together**" in end.text
    # What streams is what is kept, under one request.
    assert "".join(e.text for e in events if isinstance(e, TextAdded)) == end.text
    assert len([e for e in events if isinstance(e, RequestStarted)]) == 1
    assert {getattr(e, "request_id", "r") for e in events} <= {"r"}
    assert len([e for e in events if isinstance(e, Finished | Failed)]) == 1
    assert end.stats.prompt_tokens > context
    assert end.stats.new_tokens >= 60 * len(spans)


def test_a_video_is_cut_by_its_seconds(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "long.mp4", 600, 10.0, (320, 180))
    events = run(ask(path, 2_500, selection=MediaSelection()))
    end = events[-1]
    assert isinstance(end, Finished), end
    spans = headings(end.text)
    assert spans[0].startswith("0:00–")
    assert spans[-1].endswith("1:00")
    assert len(spans) >= 2
    frames = [int(n) for n in re.findall(r"(\d+) frames from", end.text)]
    assert len(frames) == len(spans)
    # A minute at two a second: no part looks more closely in time than the whole would have.
    assert 120 <= sum(frames) <= 120 + len(frames)


def test_one_page_that_does_not_fit_is_refused_as_before(tmp_path: Path) -> None:
    events = run(ask(document(tmp_path, 1), 300, selection=MediaSelection(dpi=200)))
    end = events[-1]
    assert isinstance(end, Failed)
    assert end.error == "PromptTooLong"


def test_stop_keeps_what_was_said(tmp_path: Path) -> None:
    cancel = CancelToken()
    engine = make_engine()
    events: list[Event] = []
    for event in engine.generate(ask(document(tmp_path, 40), 3_000), cancel):
        events.append(event)
        if isinstance(event, TextAdded) and "(2/" in event.text:
            cancel.cancel()
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.finish_reason is FinishReason.CANCELLED
    assert len(headings(end.text)) == 2
    said = "".join(e.text for e in events if isinstance(e, TextAdded) and e.channel is Channel.ANSWER)
    assert end.text == said
    engine.unload()


def test_segments_speak_the_question_s_language_and_leave_earlier_files_out(tmp_path: Path) -> None:
    path = document(tmp_path, 9)
    request = ask(path, 1_000, "总结一下")
    segments = cut_request(request, HeaderCache(), 3)
    assert [segment.label(in_chinese=True) for segment in segments] == ["第 1–3 页", "第 4–6 页", "第 7–9 页"]
    asked = segment_request(request, segments[1], 2, 3)
    assert "第 4–6 页" in asked.turns[-1].text
    (attachment,) = asked.turns[-1].attachments
    assert (attachment.selection.first_page, attachment.selection.last_page) == (4, 6)
    assert [part.label(in_chinese=False) for part in segments[0].halves()] == ["Pages 1–2", "Page 3"]
    assert cut_request(ask(path, 1_000, selection=MediaSelection(2, 2)), HeaderCache(), 3) == []


def job_of(events: list[Event]) -> JobSoFar:
    parts = [event for event in events if isinstance(event, StretchAnswered)]
    return JobSoFar(tuple(part.answered for part in parts), parts[-1].waiting)


def test_a_stopped_job_goes_on_behind_the_parts_that_are_done(tmp_path: Path) -> None:
    request, cancel, engine = ask(document(tmp_path, 40), 3_000), CancelToken(), make_engine()
    first: list[Event] = []
    for event in engine.generate(request, cancel):
        first.append(event)
        if isinstance(event, TextAdded) and "(3/" in event.text:
            cancel.cancel()
    engine.unload()
    job = job_of(first)
    assert len(job.answered) == 2
    assert job.waiting
    # As it comes back after a restart: through JSON.
    command = decode_command(encode_command(Generate(replace(request, job=job))))
    assert isinstance(command, Generate)
    second = run(command.request)
    end = second[-1]
    assert isinstance(end, Finished), end
    done_pages = int(job.answered[-1].stretch.last)
    assert len([event for event in second if isinstance(event, AttachmentRead)]) == 40 - done_pages
    spans = [tuple(map(int, re.findall(r"\d+", heading))) for heading in headings(end.text)]
    assert [page for span in spans for page in range(span[0], span[-1] + 1)] == list(range(1, 41))
    for answered in job.answered:
        assert answered.text in end.text
    assert "".join(event.text for event in second if isinstance(event, TextAdded)) == end.text
    assert [type(event) for event in second].count(RequestStarted) == 1


@pytest.mark.parametrize("stretches", [0, 2])
def test_a_job_whose_run_broke_off_keeps_what_was_streamed(tmp_path: Path, stretches: int) -> None:
    request = ask(document(tmp_path, 40), 3_000)
    first = run(request)
    answered = [event for event in first if isinstance(event, StretchAnswered)][:stretches]
    texts = [place for place, event in enumerate(first) if isinstance(event, TextAdded)]
    place = first.index(answered[-1]) + 8 if answered else texts[5]
    said = "".join(event.text for event in first[:place] if isinstance(event, TextAdded))
    job = JobSoFar(tuple(one.answered for one in answered), answered[-1].waiting) if answered else None
    second = run(replace(request, job=job, begun=BegunAnswer(text=said)))
    end = second[-1]
    assert isinstance(end, Finished)
    more = "".join(event.text for event in second if isinstance(event, TextAdded))
    assert said
    assert end.text == said + more
    assert not set(headings(more)) & set(headings(said)[:stretches])
    pages = {number for heading in headings(more) for number in map(int, re.findall(r"\d+", heading))}
    assert max(pages) == 40


def test_a_job_of_other_files_is_begun_anew(tmp_path: Path) -> None:
    request = ask(document(tmp_path, 40), 3_000)
    stretches = [Stretch("/other.pdf", 1, 2, True), Stretch("/other.pdf", 3, 4, True)]
    job = JobSoFar((AnsweredStretch(stretches[0], "old words"),), (stretches[1],))
    end = run(replace(request, job=job))[-1]
    assert isinstance(end, Finished)
    assert "old words" not in end.text
    assert headings(end.text)[0].startswith("Pages 1–")


@pytest.mark.parametrize(
    ("values", "parts"),
    [({"segments": "5"}, 5), ({"tokens": "6000", "limit": "2000"}, 5), ({"needed_gib": "3"}, 2)],
)
def test_a_refusal_says_into_how_many_parts(tmp_path: Path, values: dict[str, str], parts: int) -> None:
    request = ask(document(tmp_path, 20), 3_000)
    asked: list[Request] = []

    def answer_once(one: Request, cancel: CancelToken) -> Generator[Event, None, None]:
        asked.append(one)
        if len(asked) == 1:
            yield Failed("r", "DoesNotFit", "", "", values)
        else:
            stats = Stats("fake", "", "fake", "instruct", 1, 0, 1, 0.1, 1.0, 1)
            yield Finished("r", "words", "", FinishReason.STOP, stats)

    events = list(LongJob(request, answer_once, HeaderCache()).run(CancelToken()))
    assert isinstance(events[-1], Finished)
    assert len([event for event in events if isinstance(event, StretchAnswered)]) == parts
    assert len(asked) == 1 + parts + 1  # the whole, each part, the merging


def test_a_question_behind_a_long_document_is_answered_from_words(tmp_path: Path) -> None:
    long = ask(document(tmp_path, 40), 3_000)
    turns = (*long.turns, Turn(Role.ASSISTANT, "Forty pages."), Turn(Role.USER, "How many?"))
    end = run(replace(long, turns=turns))[-1]
    assert isinstance(end, Finished), end
    assert end.text.startswith("*Files of earlier questions do not fit any more")
    assert "Picture" not in end.text
    # One that is too long by itself is refused as before.
    alone = replace(long, turns=(Turn(Role.USER, "word " * 20_000),))
    assert isinstance(run(alone)[-1], Failed)
