"""What is read in threads is told in the window's, unless nobody wants it any more."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtTest import QTest
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from desktopapp.ui.reading_threads import ReadingThread, ReadingThreads


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, ReadingThread)]


def test_reads_elsewhere_and_tells_here(qtbot: QtBot) -> None:
    threads = ReadingThreads(2)
    told: list[tuple[object, object]] = []
    for _ in range(20):
        threads.start(threading.get_ident, lambda where: told.append((where, threading.get_ident())))
    qtbot.waitUntil(lambda: len(told) == 20)
    assert {here for _, here in told} == {threading.get_ident()}
    assert threading.get_ident() not in {where for where, _ in told}
    threads.close()
    assert not threads._timer.isActive()


def test_no_more_threads_than_allowed_and_none_without_work(qtbot: QtBot) -> None:
    threads = ReadingThreads(2)
    gate, told = threading.Event(), []
    for _ in range(5):
        threads.start(lambda: gate.wait(60), told.append)
    assert len(reading_threads()) == 2
    gate.set()
    qtbot.waitUntil(lambda: len(told) == 5)
    qtbot.waitUntil(lambda: not reading_threads())
    threads.start(lambda: "again", told.append)
    qtbot.waitUntil(lambda: told[-1] == "again")
    threads.close()


def test_one_that_is_held_up_does_not_hold_up_closing(qtbot: QtBot) -> None:
    threads = ReadingThreads(1)
    gate, begun, told = threading.Event(), threading.Event(), []
    threads.start(lambda: begun.set() or gate.wait(60), told.append)
    threads.start(lambda: "never begun", told.append)
    assert begun.wait(60)
    threads.close(patience_s=0.01)
    (held_up,) = reading_threads()
    gate.set()
    held_up.join(60)
    QTest.qWait(50)
    assert told == []


def test_one_that_fails_is_reported_and_the_others_are_read(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_type))
    threads = ReadingThreads(1)
    told: list[int] = []
    threads.start(lambda: 1 // 0, told.append)
    threads.start(lambda: 2, told.append)
    qtbot.waitUntil(lambda: told == [2])
    assert reported == [ZeroDivisionError]
    threads.close()


def test_one_whose_telling_fails_does_not_silence_the_others(qtbot: QtBot) -> None:
    threads = ReadingThreads(1)
    told: list[int] = []
    with capture_exceptions() as caught:
        threads.start(lambda: 0, lambda zero: told.append(1 // zero))
        threads.start(lambda: 2, told.append)
        qtbot.waitUntil(lambda: told == [2])
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    threads.close()
