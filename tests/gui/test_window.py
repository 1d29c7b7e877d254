"""The whole window with a scripted worker: drop, paste, send, queue, stop, fail, two turns, restart."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.engine.events import Channel, Failed, FinishReason, ModelLoading, RequestStarted
from desktopapp.engine.request import Role, Turn
from desktopapp.errors import EngineDied, ImageDamaged, NoModel, OutOfMemory
from desktopapp.settings import Settings, load_settings
from desktopapp.ui.chat import ChatState
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.model_rows import rows_of
from tests.gui.scripted_worker import script_of

MakePng = Callable[..., str]
OpenDesktop = Callable[..., Desktop]


def drop(desktop: Desktop, mime: QMimeData) -> QDropEvent:
    """What Qt delivers to the window for a drop."""
    window, copy = desktop.window, Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    enter = QDragEnterEvent(QPoint(300, 300), actions, mime, buttons, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDragMoveEvent(QPoint(310, 300), copy, mime, buttons, keys))
    event = QDropEvent(QPointF(310, 300), actions, mime, buttons, keys)
    QApplication.sendEvent(window, event)
    return event


def files(*paths: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def ask(desktop: Desktop, text: str) -> None:
    desktop.window.composer.set_text(text)
    desktop.window.composer.edit.submitted.emit()


def roles(desktop: Desktop) -> list[str]:
    return [f"{message.role}:{message.state}" for message in desktop.session.chat.messages]


def test_title_contains_the_program_s_name(desktop: Desktop) -> None:
    assert "Qwen3-VL Desktop" in desktop.window.windowTitle()
    ask(desktop, "What is\nthis? " + "long " * 50)
    assert desktop.window.windowTitle().startswith("What is this? long")
    assert desktop.window.windowTitle().endswith("… - Qwen3-VL Desktop")


def test_drop_attaches_files_in_order_and_prices_them(desktop: Desktop, make_png: MakePng) -> None:
    paths = (make_png("b.png"), make_png("a.png"))
    event = drop(desktop, files(*paths))
    assert event.dropAction() is Qt.DropAction.CopyAction
    assert desktop.window.composer.strip.paths == paths
    assert script_of(desktop).asked_prices == [paths]
    script_of(desktop).answer_prices(tokens=1234)
    descriptions = [card.accessibleDescription() for card in desktop.window.composer.strip.cards]
    assert all("1,234 tokens" in description for description in descriptions)


def test_drag_highlight_appears_and_goes(desktop: Desktop, make_png: MakePng) -> None:
    mime = files(make_png())
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys)
    QApplication.sendEvent(desktop.window, enter)
    overlay = desktop.window._overlay
    assert overlay.isVisible()
    assert overlay.size() == desktop.window.size()
    QApplication.sendEvent(desktop.window, QDragLeaveEvent())
    assert not overlay.isVisible()
    drop(desktop, mime)
    assert not overlay.isVisible()


def test_files_dropped_over_the_text_field_are_offered_to_the_window(
    desktop: Desktop, make_png: MakePng
) -> None:
    edit = desktop.window.composer.edit
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    mime = files(make_png())
    enter = QDragEnterEvent(QPoint(2, 2), Qt.DropAction.CopyAction, mime, buttons, keys)
    QApplication.sendEvent(edit.viewport(), enter)
    assert desktop.window._overlay.isVisible()


def test_dropped_text_goes_to_the_composer(desktop: Desktop) -> None:
    mime = QMimeData()
    mime.setText("read this")
    drop(desktop, mime)
    assert desktop.window.composer.draft.text == "read this"


def test_remote_address_is_not_fetched_and_said(desktop: Desktop) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.com/cat.png")])
    drop(desktop, mime)
    assert desktop.window.composer.strip.paths == ()
    assert desktop.window.composer.draft.text == "" or "example.com" in desktop.window.composer.draft.text


def test_folder_gives_its_pictures_in_natural_order(
    desktop: Desktop, make_png: MakePng, tmp_path: Path
) -> None:
    for name in ("page 10.png", "page 2.png", "Page 1.png"):
        make_png(f"album/{name}")
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    make_png("album/deeper/page 3.png")
    drop(desktop, files(str(tmp_path / "album")))
    names = [Path(path).name for path in desktop.window.composer.strip.paths]
    assert names == ["Page 1.png", "page 2.png", "page 10.png"]


def test_folder_without_pictures_is_said(desktop: Desktop, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    drop(desktop, files(str(tmp_path / "empty")))
    assert "empty" in desktop.window.notices.notices[0].message


def test_more_than_a_hundred_attachments_are_left_out_and_counted(desktop: Desktop, tmp_path: Path) -> None:
    drop(desktop, files(*(str(tmp_path / f"{number}.png") for number in range(103))))
    assert len(desktop.window.composer.strip.paths) == 100
    assert "3" in desktop.window.notices.notices[0].message


def test_same_file_twice_is_attached_once(desktop: Desktop, make_png: MakePng) -> None:
    path = make_png()
    drop(desktop, files(path, path))
    drop(desktop, files(path))
    assert desktop.window.composer.strip.paths == (path,)


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold<img src=x>.png",
        "line\nbreak.png",
        "\u202egnp.exe.png",
        "图片 🎉.png",
        "%41 #?&.png",
        "a" * 200 + ".png",
    ],
)
def test_hostile_names_are_attached_shown_plain_and_sent_unchanged(
    desktop: Desktop, make_png: MakePng, name: str, tmp_path: Path
) -> None:
    path = str(tmp_path / name)
    Path(make_png("plain.png")).rename(path)
    drop(desktop, files(path))
    assert desktop.window.composer.strip.paths == (path,)
    shown = desktop.window.composer.strip.cards[0].accessibleName()
    assert "\n" not in shown
    assert "\u202e" not in shown
    ask(desktop, "?")
    assert script_of(desktop).requests[0].turns[-1].attachments[0].path == path


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode elsewhere")
def test_name_that_is_no_unicode_survives_drop_and_restart(
    open_desktop: OpenDesktop, make_png: MakePng, tmp_path: Path
) -> None:
    desktop = open_desktop()
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(make_png("plain.png")).rename(os.fsdecode(raw))
    mime = QMimeData()
    mime.setData("text/uri-list", b"file://" + os.fsencode(tmp_path) + b"/caf%E9.png\r\n")
    drop(desktop, mime)
    assert [os.fsencode(path) for path in desktop.window.composer.strip.paths] == [raw]
    desktop.close()
    again = open_desktop()
    assert [os.fsencode(path) for path in again.window.composer.strip.paths] == [raw]


def test_thumbnail_and_size_arrive(desktop: Desktop, make_png: MakePng, qtbot: QtBot) -> None:
    path = make_png("wide.png", 300, 100)
    with qtbot.waitSignal(desktop.session.intake.thumbnail_ready, timeout=10_000) as ready:
        drop(desktop, files(path))
    assert ready.args[0] == path
    assert max(ready.args[1].width(), ready.args[1].height()) <= 192
    card = desktop.window.composer.strip.cards[0]
    qtbot.waitUntil(lambda: "bytes" in card.accessibleDescription(), timeout=10_000)


def test_broken_file_gets_a_badge_with_the_reason_and_is_not_sent(
    desktop: Desktop, make_png: MakePng, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG broken")
    good = make_png("good.png")
    drop(desktop, files(good, str(bad)))
    script_of(desktop).answer_prices(errors={"bad.png": ImageDamaged(name="bad.png")})
    card = desktop.window.composer.strip.card(str(bad))
    assert card is not None
    assert card.problem == "“bad.png” is damaged or cut short."
    ask(desktop, "compare")
    assert script_of(desktop).requests == []
    assert desktop.window.composer.draft.text == "compare"
    assert desktop.window.notices.notices[0].message == card.problem
    assert (
        desktop.window.composer.strip.viewport()
        .visibleRegion()
        .boundingRect()
        .contains(card.mapTo(desktop.window.composer.strip.viewport(), card.rect().center()))
    )
    # It was mended: the price asked for at Send takes the mark away.
    script_of(desktop).answer_prices()
    desktop.window.composer.edit.submitted.emit()
    assert len(script_of(desktop).requests[0].turns[0].attachments) == 2


def test_notice_of_a_bad_attachment_goes_with_it(desktop: Desktop, make_png: MakePng) -> None:
    drop(desktop, files(make_png("good.png"), make_png("bad.png")))
    script_of(desktop).answer_prices(errors={"bad.png": ImageDamaged(name="bad.png")})
    ask(desktop, "compare")
    strip = desktop.window.composer.strip
    strip.remove(strip.paths[0])
    assert [notice.topic for notice in desktop.window.notices.notices] == ["attachment"]
    strip.remove(strip.paths[0])
    assert desktop.window.notices.notices == []


def test_newest_of_many_attachments_is_in_view_and_the_wheel_goes_to_the_others(
    desktop: Desktop, make_png: MakePng, qtbot: QtBot
) -> None:
    drop(desktop, files(*(make_png(f"{number}.png") for number in range(12))))
    strip = desktop.window.composer.strip
    bar = strip.horizontalScrollBar()
    qtbot.waitUntil(lambda: 0 < bar.maximum() == bar.value())
    middle = QPointF(strip.rect().center())
    for turn in (120, 120, -120):
        wheel = QWheelEvent(
            middle,
            strip.mapToGlobal(middle),
            QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(strip.viewport(), wheel)
    assert bar.value() == bar.maximum() - 120


def test_pasted_screenshot_becomes_a_file_and_is_sent_when_it_is_written(
    desktop: Desktop, qtbot: QtBot
) -> None:
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(QColor("#336699"))
    QGuiApplication.clipboard().setImage(image)
    desktop.window.composer.edit.paste()
    (path,) = desktop.window.composer.strip.paths
    ask(desktop, "what is on my screen?")
    qtbot.waitUntil(lambda: bool(script_of(desktop).requests), timeout=10_000)
    assert Path(path).parent == paths.pasted_dir()
    sent = script_of(desktop).requests[0].turns[0]
    assert sent.attachments[0].path == path
    assert QImage(path).size() == image.size()
    assert QImage(path).pixelColor(5, 5) == QColor("#336699")


def test_bitmap_that_cannot_be_saved_is_said(
    desktop: Desktop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "pasted_dir", lambda: tmp_path / "file" / "pasted")
    mime = QMimeData()
    mime.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    with qtbot.waitSignal(desktop.session.intake.all_saved, timeout=10_000):
        desktop.session.intake.take_mime(mime)
    assert desktop.window.composer.strip.paths == ()
    assert "could not be saved" in desktop.window.notices.notices[0].message


def test_files_of_the_command_line_are_attached(open_desktop: OpenDesktop, make_png: MakePng) -> None:
    path = make_png()
    desktop = open_desktop(files=(path,))
    assert desktop.window.composer.strip.paths == (path,)


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


def test_restart_brings_conversation_and_draft_back(open_desktop: OpenDesktop, make_png: MakePng) -> None:
    desktop, path = open_desktop(), make_png()
    script_of(desktop).be_ready()
    ask(desktop, "one")
    script_of(desktop).finish("first", "thinking")
    desktop.window.composer.set_text("unsent")
    drop(desktop, files(path))
    desktop.window.close()
    again = open_desktop()
    assert [message.text for message in again.session.chat.messages] == ["one", "first"]
    assert again.window.composer.draft.text == "unsent"
    assert again.window.composer.strip.paths == (path,)
    assert again.window.windowTitle().startswith("one - ")
    ask(again, "two")
    assert [turn.text for turn in script_of(again).requests[0].turns] == ["one", "first", "two"]


def test_half_streamed_answer_comes_back_marked_and_queued_messages_come_back_as_draft(
    open_desktop: OpenDesktop, qtbot: QtBot
) -> None:
    desktop = open_desktop()
    ask(desktop, "one")
    script_of(desktop).say("half an answer")
    ask(desktop, "queued")
    # What a crash leaves: the debounced write happened, nothing was closed.
    saved = "SELECT count(*) FROM message WHERE body LIKE '%half an answer%'"

    def is_saved() -> bool:
        connection = sqlite3.connect(paths.conversations_file())
        try:
            return bool(connection.execute(saved).fetchone()[0])
        finally:
            connection.close()

    qtbot.waitUntil(is_saved, timeout=10_000)
    again = open_desktop()
    answer = again.session.chat.messages[1]
    assert answer.text == "half an answer"
    assert answer.error is not None
    assert answer.error.error == "AnswerInterrupted"
    assert again.window.composer.draft.text == "queued"
    assert script_of(again).requests == []


def test_answer_that_ran_when_the_window_was_closed_comes_back_as_stopped(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(desktop, "one")
    script_of(desktop).say("half an answer")
    ask(desktop, "queued")
    desktop.window.close()
    again = open_desktop()
    answer = again.session.chat.messages[1]
    assert (answer.text, answer.finish_reason, answer.error) == ("half an answer", "cancelled", None)
    assert again.window.composer.draft.text == "queued"
    assert script_of(again).requests == []


def test_damaged_file_is_set_aside_with_a_notice(open_desktop: OpenDesktop) -> None:
    file = paths.conversations_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(b"garbage" * 1000)
    desktop = open_desktop()
    assert "damaged" in desktop.window.notices.notices[0].message
    assert list(file.parent.glob("conversations.damaged-*"))
    ask(desktop, "still works")
    assert len(script_of(desktop).requests) == 1


def test_unwritable_folder_leaves_a_window_that_works(
    open_desktop: OpenDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "conversations_file", lambda: tmp_path / "file" / "c.sqlite3")
    desktop = open_desktop()
    assert "cannot be saved" in desktop.window.notices.notices[0].message
    ask(desktop, "still works")
    assert len(script_of(desktop).requests) == 1


def test_load_failure_is_a_notice_and_goes_when_another_model_loads(desktop: Desktop) -> None:
    worker = script_of(desktop)
    worker.failed.emit(Failed.from_error("", NoModel(folder="/models")))
    (notice,) = desktop.window.notices.notices
    assert notice.message == "No usable model is here yet."
    assert "/models" in notice.remedy
    desktop.window.picker.place_opened.emit("/somewhere/model")
    assert desktop.window.notices.notices == []
    assert worker.loads[-1].model == "/somewhere/model"
    assert load_settings().settings.model_places == ("/somewhere/model",)


def test_random_weights_are_said_while_such_a_model_is_loaded(desktop: Desktop) -> None:
    note = desktop.window._random_note
    assert not note.isVisible()
    script_of(desktop).be_ready(random_weights=True)
    assert note.isVisible()
    script_of(desktop).be_ready()
    assert not note.isVisible()


def test_switching_models_takes_effect_with_the_next_answer(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.finish("first")
    desktop.window.picker.setFocus()
    desktop.window.picker.chosen.emit(rows_of(_two_forms())[2])
    assert QApplication.focusWidget() is desktop.window.composer.edit
    assert worker.loads[-1].model == "/m/pair/q8.gguf"
    assert worker.loads[-1].backend == "llama.cpp"
    ask(desktop, "two")
    assert worker.requests[1].choice.model == "/m/pair/q8.gguf"
    assert len(worker.requests[1].turns) == 3


def test_settings_menu_changes_theme_language_and_thinking(desktop: Desktop) -> None:
    menu = desktop.window.settings_menu
    menu.menu().aboutToShow.emit()
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    actions["theme", "dark"].trigger()
    assert desktop.theme.colors.window == "#1a1a19"
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    actions["use_thinking_mode", "true"].trigger()
    assert script_of(desktop).loads[-1].mode == "thinking"
    assert load_settings().settings == Settings(theme="dark", use_thinking_mode="true", language="en")


def test_problems_of_the_settings_file_are_notices(
    open_desktop: OpenDesktop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    paths.settings_file().write_text("theme: pink\n")
    desktop = open_desktop(load_settings().settings)
    desktop.close()
    assert load_settings().problems


def _two_forms() -> list:
    from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat

    folder = Path("/m/pair")
    forms = (
        ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 8_000_000_000),
        ModelFiles(WeightFormat.GGUF, folder / "q8.gguf", folder / "mmproj.gguf", "Q8_0", 4_000_000_000),
    )
    return [InstalledModel("pair", folder, ModelKind.INSTRUCT, "pair", forms)]
