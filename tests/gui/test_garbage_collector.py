"""Garbage is collected in the window's thread, whoever allocates."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QThreadPool
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.settings import Settings
from desktopapp.ui.garbage_collector import GarbageCollector, collect_due
from tests.desktop import opened_desktop
from tests.gui.scripted_worker import ScriptedWorker

ROOT = Path(__file__).resolve().parents[2]

OPENED_AND_CLOSED = """
import gc
from desktopapp import app
from tests.gui.scripted_worker import ScriptedWorker

class Closing(app.Desktop):
    def begin(self, files):
        begins = super().begin(files)
        self.window.close()
        return begins

app.make_worker, app.Desktop = ScriptedWorker, Closing
assert app.main([]) == 0
print(gc.isenabled())
"""


class InACycle(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.itself = self


@pytest.fixture
def thresholds() -> Iterator[None]:
    """Small ones, so that little is enough."""
    before = gc.get_threshold()
    gc.set_threshold(50, 2, 2)
    yield
    gc.set_threshold(*before)
    gc.disable()  # as in all tests


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
    gc.enable()
    collector = GarbageCollector()
    collector.start()
    threads = threads_that_destroy(20)
    allocate_in_a_pool()
    assert not threads
    qtbot.waitUntil(lambda: len(threads) == 20)
    assert set(threads) == {threading.main_thread()}


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


def test_python_does_not_take_over_when_the_program_ends(tmp_path: Path) -> None:
    environment = {**os.environ, paths.HOME_VARIABLE: str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    code = [sys.executable, "-c", OPENED_AND_CLOSED]
    done = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "False\n", done.stderr
