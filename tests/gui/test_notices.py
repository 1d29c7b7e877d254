"""The notice bar and the crash report."""

import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from desktopapp.crash_report import CrashReport
from desktopapp.ui.crash_dialog import CrashDialog
from desktopapp.ui.crash_reporter import CrashReporter
from desktopapp.ui.notice_bar import Notice, NoticeBar, NoticeLevel


@pytest.fixture
def bar(qtbot: QtBot) -> NoticeBar:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    return bar


def error(message: str, topic: str = "") -> Notice:
    return Notice(NoticeLevel.ERROR, message, "Do this.", topic)


def test_bar_is_hidden_until_there_is_something_to_say_and_after_closing(bar: NoticeBar) -> None:
    assert bar.isHidden()
    bar.show_notice(error("It broke."))
    assert not bar.isHidden()
    texts = [label.text() for label in bar.findChildren(QLabel)]
    assert "It broke." in texts
    assert "Do this." in texts
    bar.findChild(QToolButton).click()
    assert bar.isHidden()
    assert bar.notices == []


def test_newest_notices_stay_and_repeated_ones_do_not_pile_up(bar: NoticeBar) -> None:
    for message in ("one", "two", "two", "three"):
        bar.show_notice(error(message))
    assert [notice.message for notice in bar.notices] == ["two", "three"]


def test_a_topic_holds_one_notice_and_can_be_cleared(bar: NoticeBar) -> None:
    bar.show_notice(error("old", "model"))
    bar.show_notice(error("other"))
    bar.show_notice(error("new", "model"))
    assert [notice.message for notice in bar.notices] == ["other", "new"]
    bar.clear_topic("model")
    assert [notice.message for notice in bar.notices] == ["other"]


def test_notice_shows_markup_as_text(bar: NoticeBar) -> None:
    bar.show_notice(error("<img src='http://x/y.png'>"))
    label = next(label for label in bar.findChildren(QLabel) if "img" in label.text())
    assert label.textFormat().name == "PlainText"


@pytest.fixture
def reporter(qapp: QApplication) -> Iterator[CrashReporter]:
    reporter = CrashReporter()
    reporter.install()
    yield reporter
    reporter.uninstall()
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, CrashDialog):
            widget.close()
            widget.deleteLater()


def dialogs() -> list[CrashDialog]:
    return [
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, CrashDialog) and widget.isVisible()
    ]


def test_exception_in_a_slot_opens_one_dialog_with_a_report_to_copy(
    reporter: CrashReporter, qtbot: QtBot
) -> None:
    def fail() -> None:
        raise RuntimeError("a defect of ours")

    for _ in range(3):
        QTimer.singleShot(0, fail)
    qtbot.waitUntil(lambda: bool(dialogs()))
    qtbot.wait(50)
    (dialog,) = dialogs()
    text = dialog.findChild(QPlainTextEdit)
    assert "builtins.RuntimeError" in text.toPlainText()
    assert "test_notices.py" in text.toPlainText()
    assert "Qwen3-VL Desktop" in text.toPlainText()
    assert "a defect of ours" not in text.toPlainText()
    dialog._copy.click()
    assert QGuiApplication.clipboard().text() == text.toPlainText()
    dialog.findChild(QCheckBox).click()
    assert "RuntimeError: a defect of ours" in text.toPlainText()
    dialog._copy.click()
    assert QGuiApplication.clipboard().text() == text.toPlainText()


def test_exception_in_another_thread_is_shown_in_the_window_s_thread(
    reporter: CrashReporter, qtbot: QtBot
) -> None:
    seen: list[bool] = []

    class Witness(QObject):
        def on_crash(self, report: CrashReport) -> None:
            seen.append(threading.current_thread() is threading.main_thread() and "elsewhere" in report.full)

    witness = Witness()
    reporter.crashed.connect(witness.on_crash)

    def fail() -> None:
        raise ValueError("elsewhere")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(dialogs()))
    assert seen == [True]


def test_hooks_are_given_back() -> None:
    before = (sys.excepthook, threading.excepthook)
    reporter = CrashReporter()
    reporter.install()
    assert sys.excepthook != before[0]
    reporter.uninstall()
    assert (sys.excepthook, threading.excepthook) == before
