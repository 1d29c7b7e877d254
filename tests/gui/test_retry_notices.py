"""When memory ran out, or the engine was gone, one sentence says where and with what the answer goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktopapp.app import Desktop
from desktopapp.engine.memory_events import IDLE_MODEL, SMALLER_CACHE, Retrying
from desktopapp.worker.process_events import HandedOn
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask


def retry(desktop: Desktop, step: str, what: str = "reading a picture", tries: int = 1) -> None:
    worker = script_of(desktop)
    planned = replace(worker.plan(worker.requests[-1]), steps_taken=(step,) if step else ())
    event = Retrying(worker.requests[-1].request_id, tries, what, step, "", planned)
    worker.retrying.emit(event)


@pytest.fixture
def asked(desktop: Desktop) -> Desktop:
    ask(desktop, "What is this?")
    script_of(desktop).say("It is ")
    return desktop


def messages(desktop: Desktop) -> list[str]:
    return [notice.message for notice in desktop.window.notices.notices]


def test_the_step_is_named_and_what_was_streamed_stays(asked: Desktop) -> None:
    retry(asked, "kv_8bit")
    (message,) = messages(asked)
    assert (
        message == "Memory ran out while reading a picture. It goes on with 8-bit KV cache; nothing was lost."
    )
    script_of(asked).say("a cat.")
    script_of(asked).finish("It is a cat.")
    assert asked.session.chat.messages[-1].text == "It is a cat."


def test_a_further_step_takes_the_sentence_of_the_one_before(asked: Desktop) -> None:
    retry(asked, "kv_8bit")
    retry(asked, "smaller_model", "writing the answer", 2)
    (message,) = messages(asked)
    assert "a smaller model" in message
    assert "writing the answer" in message


def test_a_step_without_a_name_of_its_own(asked: Desktop) -> None:
    retry(asked, "")
    assert messages(asked) == [
        "Memory ran out while reading a picture. It goes on with less; nothing was lost."
    ]


@pytest.mark.parametrize(
    ("step", "words"), [(IDLE_MODEL, "the other model let go of"), (SMALLER_CACHE, "room for a shorter")]
)
def test_what_is_no_step_of_a_plan_has_words_as_well(asked: Desktop, step: str, words: str) -> None:
    retry(asked, step)
    (message,) = messages(asked)
    assert words in message


def test_questions_that_went_to_another_engine_are_one_sentence(asked: Desktop) -> None:
    worker = script_of(asked)
    for request_id in (worker.requests[-1].request_id, "another"):
        worker.handed_on.emit(HandedOn(request_id, "killed by the system, SIGKILL"))
    assert messages(asked) == [
        "The engine had ended (killed by the system, SIGKILL) before it began; your message went to a new one."
    ]
    worker.finish("It is a cat.")
    assert [message.text for message in asked.session.chat.messages] == ["What is this?", "It is a cat."]
