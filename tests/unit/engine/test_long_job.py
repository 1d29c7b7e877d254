"""What does not fit one prompt is answered in segments and merged, in as many rounds as it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Finished,
    FinishReason,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.engine.segments import cut_request, segment_request
from desktopapp.engine.steps import StepClock
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
