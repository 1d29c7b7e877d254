"""The composer: keys, growing, input methods, pasting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QInputMethodEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from desktopapp.conversations import Draft
from desktopapp.ui.composer import Composer
from desktopapp.ui.stylesheet import build_stylesheet
from desktopapp.ui.tokens import LIGHT


@pytest.fixture
def composer(qtbot: QtBot, qapp: QApplication) -> Iterator[Composer]:
    qapp.setStyleSheet(build_stylesheet(LIGHT, 9.0))
    composer = Composer()
    qtbot.addWidget(composer)
    composer.resize(500, 300)
    composer.show()
    composer.edit.setFocus()
    yield composer
    qapp.setStyleSheet("")


def button(composer: Composer, name: str) -> QToolButton:
    return next(found for found in composer.findChildren(QToolButton) if found.accessibleName() == name)


def test_enter_sends_and_the_draft_stays_until_cleared(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.edit, "Hello")
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.edit, Qt.Key.Key_Return)
    assert sent.args == [Draft("Hello")]
    assert composer.draft.text == "Hello"


def test_shift_enter_breaks_the_line_with_a_plain_newline(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.edit, "a")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.edit, "b")
    assert composer.draft.text == "a\nb"


def test_keypad_enter_sends_too(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.edit, "a")
    with qtbot.waitSignal(composer.sent):
        qtbot.keyClick(composer.edit, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)


def test_enter_while_an_input_method_composes_does_not_send(composer: Composer, qtbot: QtBot) -> None:
    QApplication.sendEvent(composer.edit, QInputMethodEvent("nihao", []))
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.edit, Qt.Key.Key_Return)
    commit = QInputMethodEvent()
    commit.setCommitString("你好")
    QApplication.sendEvent(composer.edit, commit)
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.edit, Qt.Key.Key_Return)
    assert "你好" in sent.args[0].text


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_but_blanks_is_not_sent(composer: Composer, qtbot: QtBot, text: str) -> None:
    composer.set_text(text)
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.edit, Qt.Key.Key_Return)
    assert not button(composer, "Send").isEnabled()


def test_attachment_alone_can_be_sent(composer: Composer, qtbot: QtBot) -> None:
    composer.strip.add("/a.png")
    with qtbot.waitSignal(composer.sent) as sent:
        button(composer, "Send").click()
    assert sent.args == [Draft("", ("/a.png",))]


def test_grows_from_one_to_eight_lines(composer: Composer) -> None:
    one = composer.edit.height()
    composer.set_text("\n".join("abc"))
    three = composer.edit.height()
    composer.set_text("\n".join("abcdefgh"))
    eight = composer.edit.height()
    composer.set_text("\n" * 100)
    assert composer.edit.height() == eight
    line = composer.edit.fontMetrics().lineSpacing()
    assert three - one == pytest.approx(2 * line, abs=2)
    assert eight - one == pytest.approx(7 * line, abs=2)


def test_long_line_wraps_and_grows(composer: Composer) -> None:
    one = composer.edit.height()
    composer.set_text("word " * 60)
    assert composer.edit.height() > one


def test_send_becomes_stop_and_queue_appears_with_text(composer: Composer, qtbot: QtBot) -> None:
    composer.show_running(True)
    with qtbot.waitSignal(composer.stop_requested):
        button(composer, "Stop").click()
    assert not button(composer, "Queue").isVisible()
    composer.set_text("next")
    assert button(composer, "Queue").isVisible()
    with qtbot.waitSignal(composer.sent):
        button(composer, "Queue").click()
    composer.show_running(True, stopping=True)
    assert not button(composer, "Stopping …").isEnabled()
    composer.show_running(False)
    assert button(composer, "Send").isEnabled()


def test_pasted_files_and_bitmaps_are_media_and_text_is_text(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    files.setText("a.png")
    bitmap = QMimeData()
    bitmap.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    office = QMimeData()
    office.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    office.setText("cells")
    for mime in (files, bitmap):
        with qtbot.waitSignal(composer.media_pasted):
            composer.edit.insertFromMimeData(mime)
        assert composer.draft.text == ""
    with qtbot.assertNotEmitted(composer.media_pasted):
        composer.edit.insertFromMimeData(office)
    assert composer.draft.text == "cells"


def test_pasting_rich_text_keeps_the_words_only(composer: Composer, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("bold")
    clipboard = QGuiApplication.clipboard()
    clipboard.setMimeData(mime)
    composer.edit.paste()
    clipboard.clear()  # Qt would free what Python made after Python is gone
    assert composer.draft.text == "bold"


def test_clearing_can_be_undone(composer: Composer) -> None:
    composer.edit.insertPlainText("precious")
    composer.clear()
    assert composer.draft == Draft()
    composer.edit.undo()
    assert composer.draft.text == "precious"


def test_draft_changes_are_told_after_a_rest(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(composer.draft_changed):
        composer.edit.insertPlainText("x")
    with qtbot.waitSignal(composer.draft_changed):
        composer.strip.add("/a.png")


def test_set_text_puts_the_cursor_at_the_end(composer: Composer) -> None:
    composer.set_text("Describe this")
    assert composer.edit.textCursor().position() == len("Describe this")
    composer.edit.moveCursor(QTextCursor.MoveOperation.Start)
    composer.insert_text("Please: ")
    assert composer.draft.text == "Please: Describe this"
