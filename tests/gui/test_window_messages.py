"""The whole window with a scripted worker: send, queue, stop, fail, return, two turns."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.attachment_errors import ImageDamaged
from desktopapp.engine.events import Channel, FinishReason, ModelLoading, RequestStarted
from desktopapp.engine.request import Role, Turn
from desktopapp.errors import EngineDied, OutOfMemory
from desktopapp.ui.chat import ChatState
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.message import Message
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, drop, files, roles

MakePng = Callable[..., str]
OpenDesktop = Callable[..., Desktop]


def test_send_streams_and_finishes(desktop: Desktop, make_png: MakePng) -> None:
    worker, path = script_of(desktop), make_png()
    drop(desktop, files(path))
    ask(desktop, "What is this?")
    assert desktop.window.composer.is_empty
    assert worker.requests[0].turns[0].text == "What is this?"
    assert desktop.session.chat.state is ChatState.RUNNING
    worker.say("hm", Channel.THOUGHT)
    worker.say("A blue ")
    worker.say("square")
    worker.finish("A blue square", "hm")
    assert desktop.session.chat.state is ChatState.IDLE
    assert desktop.session.chat.messages[-1].text == "A blue square"
    assert "23.4 tokens/s" in desktop.window.status._speed.text()
    assert "0.41 s" in desktop.window.status._speed.text()


def test_second_turn_sends_the_conversation_without_thoughts(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.finish("first", thought="secret")
    ask(desktop, "two")
    assert worker.requests[1].turns == (
        Turn(Role.USER, "one"),
        Turn(Role.ASSISTANT, "first"),
        Turn(Role.USER, "two"),
    )


def shown(desktop: Desktop) -> list[str]:
    view = desktop.window.view
    view.flush()
    found = [message for message in view.findChildren(Message) if not message.isHidden()]
    return [message.message_id for message in sorted(found, key=lambda message: message.y())]


def test_messages_sent_meanwhile_are_queued_in_order(desktop: Desktop) -> None:
    worker = script_of(desktop)
    for text in ("one", "two", "three"):
        ask(desktop, text)
    assert len(worker.requests) == 1
    assert roles(desktop) == ["user:sent", "assistant:running", "user:queued", "user:queued"]
    worker.finish("first")
    assert roles(desktop) == [
        "user:sent", "assistant:done", "user:sent", "assistant:running", "user:queued",
    ]  # fmt: skip
    assert shown(desktop) == [message.message_id for message in desktop.session.chat.messages]
    worker.finish("second")
    worker.finish("third")
    assert [message.text for message in desktop.session.chat.messages] == [
        "one",
        "first",
        "two",
        "second",
        "three",
        "third",
    ]
    assert [turn.text for turn in worker.requests[2].turns] == ["one", "first", "two", "second", "three"]


def test_queued_message_can_be_removed(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    ask(desktop, "two")
    desktop.window.view.message_removed.emit(desktop.session.chat.messages[-1].message_id)
    worker.finish("first")
    assert len(worker.requests) == 1
    assert [message.text for message in desktop.session.chat.messages] == ["one", "first"]


def test_escape_stops_and_the_text_counts_as_the_answer(desktop: Desktop, qtbot: QtBot) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.say("half an ans")
    desktop.window.activateWindow()
    qtbot.keyClick(desktop.window, Qt.Key.Key_Escape)
    assert desktop.session.chat.state is ChatState.STOPPING
    assert worker.cancelled == [worker.requests[0].request_id]
    worker.finish("half an ans", reason=FinishReason.CANCELLED)
    ask(desktop, "go on")
    assert [turn.text for turn in worker.requests[1].turns] == ["one", "half an ans", "go on"]


def test_failed_answer_is_shown_and_left_out_of_what_the_model_sees(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "too big")
    worker.fail(OutOfMemory(what="reading", detail=""))
    assert desktop.session.chat.state is ChatState.IDLE
    ask(desktop, "smaller")
    assert [turn.text for turn in worker.requests[1].turns] == ["smaller"]


def test_answer_that_died_midway_keeps_its_text_in_the_conversation(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.say("some of it")
    worker.fail(EngineDied(what="answering", detail="signal 9"))
    ask(desktop, "two")
    assert [turn.text for turn in worker.requests[1].turns] == ["one", "some of it", "two"]


def test_retry_asks_the_same_question_again(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.fail(EngineDied(what="answering", detail="signal 9"))
    desktop.window.view.retry_requested.emit(desktop.session.chat.messages[-1].message_id)
    assert roles(desktop) == ["user:sent", "assistant:running"]
    worker.finish("now")
    ask(desktop, "two")
    worker.finish("yes")
    desktop.window.view.retry_requested.emit(desktop.session.chat.messages[1].message_id)
    assert [message.text for message in desktop.session.chat.messages][4:] == ["one", ""]


def test_message_refused_over_an_attachment_comes_back_with_the_bad_one_marked(
    desktop: Desktop, make_png: MakePng
) -> None:
    worker, good, bad = script_of(desktop), make_png("good.png"), make_png("bad.png")
    drop(desktop, files(good, bad))
    ask(desktop, "compare")
    worker.fail(ImageDamaged(name="bad.png"), attachment=bad)
    assert desktop.window.composer.draft.text == "compare"
    assert desktop.window.composer.strip.paths == (good, bad)
    marked = [card.path for card in desktop.window.composer.strip.cards if card.problem]
    assert marked == [bad]
    assert desktop.session.chat.messages[0].text == "compare"


def test_question_sent_while_the_model_loads_says_what_it_waits_for(desktop: Desktop) -> None:
    worker = script_of(desktop)
    worker.model_loading.emit(ModelLoading("tiny", "llama.cpp", "import", 0.0))
    ask(desktop, "hello")
    (answer,) = desktop.window.view.findChildren(AnswerMessage)
    assert answer.status.text() == "Loading tiny …"
    worker.model_loading.emit(ModelLoading("tiny", "llama.cpp", "weights", 0.4))
    assert answer.status.text() == "Loading tiny, 40 %"
    worker.be_ready()
    worker.request_started.emit(RequestStarted(worker.requests[-1].request_id))
    assert answer.status.text() == "Reading the question …"


def test_refused_message_does_not_overwrite_what_was_typed_meanwhile(
    desktop: Desktop, make_png: MakePng
) -> None:
    worker, bad = script_of(desktop), make_png("bad.png")
    drop(desktop, files(bad))
    ask(desktop, "compare")
    desktop.window.composer.set_text("already typing")
    worker.fail(ImageDamaged(name="bad.png"), attachment=bad)
    assert desktop.window.composer.draft.text == "already typing"
    assert desktop.window.composer.strip.paths == ()


def test_picture_of_an_earlier_turn_that_is_gone_is_left_out_and_said(
    desktop: Desktop, make_png: MakePng
) -> None:
    worker, path = script_of(desktop), make_png()
    drop(desktop, files(path))
    ask(desktop, "one")
    worker.finish("first")
    Path(path).unlink()
    ask(desktop, "two")
    assert worker.requests[1].turns[0] == Turn(Role.USER, "one")
    assert "picture.png" in desktop.window.notices.notices[0].message


def test_new_conversation_stops_the_answer_and_ignores_its_late_events(
    desktop: Desktop, qtbot: QtBot
) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.say("half")
    qtbot.keyClick(desktop.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert worker.cancelled == [worker.requests[0].request_id]
    assert desktop.session.chat.messages == ()
    worker.say(" late")
    worker.finish("half late", reason=FinishReason.CANCELLED)
    assert desktop.session.chat.messages == ()
    ask(desktop, "fresh")
    assert [turn.text for turn in worker.requests[1].turns] == ["fresh"]


def test_notices_go_with_the_conversation_that_they_were_about(desktop: Desktop) -> None:
    drop(desktop, files("/nowhere/gone.png"))
    script_of(desktop).answer_prices(errors={"gone.png": ImageDamaged(name="gone.png")})
    ask(desktop, "what is it?")
    assert desktop.window.notices.notices
    desktop.window.new_requested.emit()
    assert desktop.window.notices.notices == []
    assert not desktop.window.notices.isVisible()
