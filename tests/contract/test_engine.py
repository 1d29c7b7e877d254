"""What the engine makes of every backend: streamed text, channels, turns, and errors that end one request only."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Channel, Event, Failed, Finished, FinishReason, TextAdded
from desktopapp.engine.request import Attachment, ModelChoice, Request, Role, SamplingOverrides, Turn
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from tests.contract.conftest import Contender

GREEDY = SamplingOverrides(temperature=0.0)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def engine(contender: Contender) -> Iterator[Engine]:
    made = Engine(store, {contender.choice: contender.make}, StepClock())
    yield made
    made.unload()


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    files = [tmp_path / "red.png", tmp_path / "blue.jpg"]
    for file, colour, size in zip(files, ("red", "blue"), ((300, 200), (220, 330)), strict=True):
        Image.new("RGB", size, colour).save(file)
    return [str(file) for file in files]


def request(
    contender: Contender, *turns: Turn, limit: int = 40, sampling: SamplingOverrides = GREEDY
) -> Request:
    choice = ModelChoice(str(contender.files.path), contender.choice)
    return Request(f"r{next(_numbers)}", choice, turns, sampling=sampling, max_new_tokens=limit)


def person(text: str, *paths: str) -> Turn:
    return Turn(Role.USER, text, tuple(Attachment(path) for path in paths))


def answer(engine: Engine, asked: Request) -> tuple[list[Event], Finished]:
    events = list(engine.generate(asked, CancelToken()))
    assert isinstance(events[-1], Finished), events[-1]
    return events, events[-1]


def streamed(events: list[Event], channel: Channel) -> str:
    return "".join(e.text for e in events if isinstance(e, TextAdded) and e.channel is channel)


def test_stream_equals_the_final_text(engine: Engine, contender: Contender, pictures: list[str]) -> None:
    warm = SamplingOverrides(seed=4)
    for sampling in (GREEDY, warm):
        events, finished = answer(
            engine, request(contender, person("What?", *pictures), limit=120, sampling=sampling)
        )
        assert streamed(events, Channel.ANSWER) == finished.text != ""
        assert streamed(events, Channel.THOUGHT) == finished.thought
        assert "\ufffd" not in finished.text
        assert "<|im_end|>" not in finished.text
        assert 0 < finished.stats.new_tokens <= 120
        assert finished.stats.prompt_tokens > 9 * 6 + 7 * 10


def test_two_turns(engine: Engine, contender: Contender, pictures: list[str]) -> None:
    first = person("What is it?", pictures[0])
    _, said = answer(engine, request(contender, first))
    turns = (first, Turn(Role.ASSISTANT, said.text), person("And this?", pictures[1]))
    _, again = answer(engine, request(contender, *turns))
    assert again.stats.prompt_tokens > said.stats.prompt_tokens + 50
    _, repeated = answer(engine, request(contender, *turns))
    assert repeated.text == again.text


def test_stop_keeps_what_was_said(engine: Engine, contender: Contender) -> None:
    cancel = CancelToken()
    events: list[Event] = []
    for event in engine.generate(request(contender, person("Go on."), limit=500), cancel):
        events.append(event)
        if isinstance(event, TextAdded):
            cancel.cancel()
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.finish_reason is FinishReason.CANCELLED
    assert streamed(events, Channel.ANSWER) == last.text != ""


def test_a_picture_that_is_gone_fails_this_request_only(
    engine: Engine, contender: Contender, pictures: list[str]
) -> None:
    asked = request(contender, person("What?", pictures[0], str(Path(pictures[0]).with_name("gone.png"))))
    last = list(engine.generate(asked, CancelToken()))[-1]
    assert isinstance(last, Failed)
    assert (last.error, Path(last.attachment).name) == ("AttachmentGone", "gone.png")
    _, finished = answer(engine, request(contender, person("What?", pictures[0])))
    assert finished.text
