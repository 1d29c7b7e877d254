"""Garbage is collected in the window's thread, whoever allocates."""

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QThreadPool
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.settings import Settings
from desktopapp.ui.garbage_collector import GarbageCollector, collect_due
from tests.desktop import opened_desktop
from tests.gui.scripted_worker import ScriptedWorker


class InACycle(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.itself = self


@pytest.fixture
def thresholds() -> Iterator[None]:
    """Small ones, so that little is enough."""
    before, was_enabled = gc.get_threshold(), gc.isenabled()
    gc.set_threshold(50, 2, 2)
    yield
    gc.set_threshold(*before)
    if not was_enabled:
        gc.disable()


def threads_that_destroy(objects: int) -> list[threading.Thread]:
    """Where each of so many `QObject`s is destroyed, once it is."""
    threads: list[threading.Thread] = []
    for _ in range(objects):
        weakref.finalize(InACycle(), lambda: threads.append(threading.current_thread()))
    return threads


def allocate_in_a_pool(with_python_collecting: bool = False) -> None:
    def work() -> None:
        if with_python_collecting:
            gc.enable()
        assert len([[number] for number in range(20_000)]) == 20_000
        if with_python_collecting:
            gc.disable()

    pool = QThreadPool()
    pool.start(work)
    assert pool.waitForDone()


def test_python_alone_would_destroy_them_elsewhere(thresholds: None) -> None:
    gc.collect()
    gc.disable()
    threads = threads_that_destroy(20)
    allocate_in_a_pool(with_python_collecting=True)
    assert threads
    assert threading.main_thread() not in threads


def test_objects_are_destroyed_in_the_windows_thread(qtbot: QtBot, thresholds: None) -> None:
    gc.collect()
    collector = GarbageCollector()
    collector.start()
    try:
        threads = threads_that_destroy(20)
        allocate_in_a_pool()
        assert not threads
        qtbot.waitUntil(lambda: len(threads) == 20)
    finally:
        collector.stop()
    assert set(threads) == {threading.main_thread()}
    assert gc.isenabled()


def test_older_garbage_is_collected_too(thresholds: None) -> None:
    gc.collect()
    gc.disable()
    cycle = InACycle()
    gc.collect(1)  # into the oldest generation
    gone: list[None] = []
    weakref.finalize(cycle, lambda: gone.append(None))
    del cycle
    kept = []
    for _ in range(100):
        kept.append([[number] for number in range(100)])
        collect_due()
    assert gone


def test_nothing_is_collected_before_it_is_due(thresholds: None) -> None:
    gc.collect()
    gc.disable()
    collections = sum(generation["collections"] for generation in gc.get_stats())
    collect_due()
    assert sum(generation["collections"] for generation in gc.get_stats()) == collections


def test_a_closed_window_takes_its_session_along(qapp: QApplication, qtbot: QtBot) -> None:
    gone: list[None] = []
    with opened_desktop(qapp, qtbot, ScriptedWorker(), Settings()) as desktop:
        desktop.session.destroyed.connect(lambda: gone.append(None))
    qtbot.waitUntil(lambda: bool(gone))
