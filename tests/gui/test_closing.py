"""Closing takes seconds at most, whatever a disk does, and loses nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.conversations import ConversationStore, Draft
from desktopapp.ui import folder_lister, model_scanner, thumbnails
from desktopapp.ui.incoming import Expanded
from desktopapp.ui.reading_threads import ReadingThread
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import drop, files

ROOT = Path(__file__).resolve().parents[2]
MakePng = Callable[..., str]

CLOSED_WHILE_A_FOLDER_IS_READ = """
import os, sys, threading
from desktopapp import __main__, app
from desktopapp.ui import folder_lister
from tests.gui.scripted_worker import ScriptedWorker

begun = threading.Event()
pipe = sys.argv.pop(1)

def expand(given, is_stopped):
    begun.set()
    os.open(pipe, os.O_RDONLY)  # no writer ever comes

class Closing(app.Desktop):
    def begin(self, files):
        begins = super().begin(files)
        self.window.composer.set_text("compare them")
        assert begun.wait(60)
        self.window.close()
        return begins

folder_lister.expand_folders = expand
app.make_worker, app.Desktop = ScriptedWorker, Closing
__main__.main()
"""


class DeadDisk:
    """Answers nothing that is asked of it until it is let go."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self._is_back = threading.Event()

    def ask(self, *_asked: object, **_more: object) -> None:
        self.is_asked.set()
        assert self._is_back.wait(60)

    def let_go(self) -> None:
        """Come back, and see the threads end that waited for it."""
        self._is_back.set()
        for thread in threading.enumerate():
            if isinstance(thread, ReadingThread):
                thread.join(60)


@pytest.fixture
def dead() -> Iterator[DeadDisk]:
    disk = DeadDisk()
    yield disk
    disk.let_go()


def kept_draft() -> Draft:
    store = ConversationStore(paths.conversations_file())
    draft = store.claim().draft
    store.close()
    return draft


def test_the_window_goes_first(desktop: Desktop) -> None:
    seen: list[bool] = []
    script_of(desktop).shutdown = lambda: seen.append(desktop.window.isVisible())
    desktop.window.close()
    assert seen == [False]


def test_a_folder_that_is_never_listed_does_not_hold_the_end_up(
    desktop: Desktop, dead: DeadDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lister, "expand_folders", lambda *a, **k: dead.ask() or Expanded(()))
    (tmp_path / "album").mkdir()
    desktop.window.composer.set_text("compare them")
    drop(desktop, files(str(tmp_path / "album")))
    assert dead.is_asked.wait(60)
    desktop.window.close()
    assert not script_of(desktop).is_running
    assert kept_draft() == Draft("compare them", (str(tmp_path / "album"),))
    dead.let_go()  # what is read now has nobody to be told
    QTest.qWait(0)


def test_a_folder_that_was_not_listed_is_in_the_next_windows_draft(
    open_desktop: Callable[..., Desktop], dead: DeadDisk, make_png: MakePng, qtbot: QtBot
) -> None:
    album = str(Path(make_png("album/1.png")).parent)
    first = open_desktop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_lister, "expand_folders", lambda *a, **k: dead.ask() or Expanded(()))
        drop(first, files(album))
        assert dead.is_asked.wait(60)
        first.close()
    second = open_desktop()
    qtbot.waitUntil(lambda: second.window.composer.strip.paths == (str(Path(album) / "1.png"),))


def test_a_thumbnail_that_never_comes_holds_up_neither_the_end_nor_a_pasted_picture(
    desktop: Desktop, dead: DeadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "read_thumbnail", dead.ask)
    drop(desktop, files("/net/1.png", "/net/2.png", "/net/3.png"))
    assert dead.is_asked.wait(60)
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    desktop.session.intake.take_image(image)
    desktop.window.close()
    *given, pasted = kept_draft().attachments
    assert given == ["/net/1.png", "/net/2.png", "/net/3.png"]
    assert QImage(pasted).size() == image.size()


def test_models_on_a_dead_disk_do_not_hold_the_end_up(
    desktop: Desktop, dead: DeadDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_scanner, "_find_model", dead.ask)
    desktop.window.picker.place_opened.emit("/net/models")
    assert dead.is_asked.wait(60)
    desktop.window.close()
    assert not script_of(desktop).is_running


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_the_process_ends_while_a_thread_is_held_up_by_the_system(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "album").mkdir()
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    arguments = [sys.executable, "-c", CLOSED_WHILE_A_FOLDER_IS_READ, str(pipe), str(tmp_path / "album")]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert kept_draft() == Draft("compare them", (str(tmp_path / "album"),))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_is_named_like_a_picture_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert thumbnails.read_thumbnail(str(tmp_path / "pipe.png")) is None
