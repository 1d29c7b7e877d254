"""Folders are listed outside the window's thread: it goes on meanwhile, and no message goes half listed."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.ui import folder_lister, incoming, thumbnails
from desktopapp.ui.incoming import Expanded, expand_folders
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, drop, files

MakePng = Callable[..., str]
_LONGEST_WAIT_S = 60.0


class HeldListing:
    """Holds every listing up until it is let go, or the window no longer wants it."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.stopped: list[str] = []
        self.ended: list[str] = []
        self._begun = threading.Semaphore(0)
        self._gates: dict[str, threading.Event] = {}

    def let_go(self, name: str) -> None:
        """Let the listing of the folder of this name go on."""
        self._gate(name).set()

    def wait_until_begun(self) -> None:
        assert self._begun.acquire(timeout=_LONGEST_WAIT_S)

    def expand(self, paths: tuple[str, ...], *, is_stopped: Callable[[], bool]) -> Expanded:
        name = Path(paths[0]).name
        self.threads.append(threading.get_ident())
        self._begun.release()
        gate = self._gate(name)
        while not gate.wait(0.01):
            if is_stopped():
                self.stopped.append(name)
                return Expanded(())
        expanded = expand_folders(paths, is_stopped=is_stopped)
        self.ended.append(name)
        return expanded

    def _gate(self, name: str) -> threading.Event:
        return self._gates.setdefault(name, threading.Event())


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> HeldListing:
    listing = HeldListing()
    monkeypatch.setattr(folder_lister, "expand_folders", listing.expand)
    return listing


def attached(desktop: Desktop) -> list[str]:
    return [Path(path).name for path in desktop.window.composer.strip.paths]


def folder_of(make_png: MakePng, name: str, *pictures: str) -> str:
    made = [Path(make_png(f"{name}/{picture}")) for picture in pictures]
    return str(made[0].parent)


def test_the_window_goes_on_while_a_folder_is_listed(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    album = folder_of(make_png, "album", "page 10.png", "page 2.png")
    drop(desktop, files(album))
    held.wait_until_begun()
    assert held.threads != [threading.get_ident()]
    note = desktop.window.composer.reading
    qtbot.waitUntil(note.isVisible)
    assert note.label.text() == "Reading “album” …"
    assert attached(desktop) == []
    held.let_go("album")
    qtbot.waitUntil(lambda: attached(desktop) == ["page 2.png", "page 10.png"])
    assert not note.isVisible()
    assert script_of(desktop).asked_prices == [desktop.window.composer.strip.paths]


def test_a_message_waits_for_the_whole_folder_and_says_so(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    drop(desktop, files(folder_of(make_png, "album", "1.png", "2.png")))
    ask(desktop, "compare")
    note = desktop.window.composer.reading
    assert note.isVisible()
    assert note.label.text() == "Reading “album” …"
    assert note.awaited.isVisible()
    assert note.awaited.text() == "The message goes when that is done."
    assert script_of(desktop).requests == []
    held.let_go("album")
    qtbot.waitUntil(lambda: bool(script_of(desktop).requests))
    (request,) = script_of(desktop).requests
    assert [Path(item.path).name for item in request.turns[-1].attachments] == ["1.png", "2.png"]
    assert attached(desktop) == []


def test_what_comes_behind_a_folder_stays_behind_it(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    first, second = folder_of(make_png, "first", "a.png"), folder_of(make_png, "second", "b.png")
    for given in (first, second, make_png("last.png")):
        drop(desktop, files(given))
    note = desktop.window.composer.reading
    qtbot.waitUntil(note.isVisible)
    assert note.label.text() == "Reading 3 files and folders …"
    for name in ("last.png", "second"):
        held.let_go(name)
    qtbot.waitUntil(lambda: sorted(held.ended) == ["last.png", "second"])
    QTest.qWait(0)
    assert attached(desktop) == []
    held.let_go("first")
    qtbot.waitUntil(lambda: attached(desktop) == ["a.png", "b.png", "last.png"])


def test_reading_can_be_given_up(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    drop(desktop, files(folder_of(make_png, "album", "1.png")))
    held.wait_until_begun()
    ask(desktop, "compare")
    note = desktop.window.composer.reading
    note.cancel_button.setFocus()
    QTest.keyClick(note.cancel_button, Qt.Key.Key_Return)
    assert not note.isVisible()
    assert desktop.window.composer.edit.hasFocus()
    qtbot.waitUntil(lambda: held.stopped == ["album"])
    assert attached(desktop) == []
    assert script_of(desktop).requests == []
    assert desktop.window.composer.draft.text == "compare"
    ask(desktop, "alone")
    assert script_of(desktop).requests[0].turns[-1].attachments == ()


def test_closing_ends_what_is_listed(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    drop(desktop, files(folder_of(make_png, "album", "1.png")))
    held.wait_until_begun()
    desktop.window.close()
    qtbot.waitUntil(lambda: held.stopped == ["album"])
    assert attached(desktop) == []


def test_another_conversation_does_not_get_the_folder(
    desktop: Desktop, make_png: MakePng, held: HeldListing, qtbot: QtBot
) -> None:
    ask(desktop, "first")
    first = desktop.session.saver.conversation_id
    script_of(desktop).finish("Yes.")
    desktop.window.new_requested.emit()
    drop(desktop, files(folder_of(make_png, "album", "1.png")))
    held.wait_until_begun()
    desktop.session.history.switch_wanted.emit(first)
    qtbot.waitUntil(lambda: held.stopped == ["album"] and desktop.window.composer.isEnabled())
    assert attached(desktop) == []


def test_a_message_whose_folder_did_not_come_whole_is_not_sent(
    desktop: Desktop, tmp_path: Path, held: HeldListing, qtbot: QtBot
) -> None:
    album = tmp_path / "album"
    album.mkdir()
    for number in range(103):
        (album / f"{number}.png").touch()
    drop(desktop, files(str(album)))
    ask(desktop, "compare")
    held.let_go("album")
    qtbot.waitUntil(lambda: len(attached(desktop)) == 100)
    assert attached(desktop)[9:11] == ["9.png", "10.png"]
    messages = [notice.message for notice in desktop.window.notices.notices]
    assert messages == ["Files left out: 3.", "Not sent: not all that was dropped could be attached."]
    assert script_of(desktop).requests == []
    assert desktop.window.composer.draft.text == "compare"


def test_a_folder_that_cannot_be_read_is_said(
    desktop: Desktop, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def refuse(_folder: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        raise PermissionError(13, "Permission denied")
        yield iter(())

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(incoming.os, "scandir", refuse)
    drop(desktop, files(str(tmp_path / "locked")))
    qtbot.waitUntil(lambda: bool(desktop.window.notices.notices))
    assert desktop.window.notices.notices[0].message == "The folder “locked” cannot be read."


@pytest.mark.parametrize("suffix", ["", ".png"])
def test_what_the_disk_cannot_look_at_is_attached_for_the_engine_to_refuse(
    desktop: Desktop, qtbot: QtBot, suffix: str
) -> None:
    name = (
        "n" * 300 + suffix
    )  # ENAMETOOLONG, as EACCES and EIO none of what `Path.is_dir` takes for an answer
    drop(desktop, files(f"/{name}"))
    qtbot.waitUntil(lambda: attached(desktop) == [name])
    assert desktop.session.intake.being_read == ()
    desktop.close()  # waits for the thumbnail's thread


def test_a_folder_that_is_named_like_a_file_is_opened(
    desktop: Desktop, make_png: MakePng, qtbot: QtBot
) -> None:
    drop(desktop, files(folder_of(make_png, "scans.pdf", "1.png", "2.png")))
    qtbot.waitUntil(lambda: attached(desktop) == ["1.png", "2.png"])


def test_files_are_attached_at_once_and_no_disk_is_asked(
    desktop: Desktop, held: HeldListing, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    for module in (incoming, thumbnails):
        monkeypatch.setattr(module, "is_folder", lambda _path: threads.append(threading.get_ident()) or False)
    drop(desktop, files("/net/share/b.png", "/net/share/a.PDF"))
    assert attached(desktop) == ["b.png", "a.PDF"]
    assert held.threads == []
    desktop.close()
    assert threading.get_ident() not in threads


def test_a_drop_of_many_thousands_is_stopped_midway(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.png").touch()
    asked = 0

    def is_stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    assert expand_folders([str(tmp_path)], is_stopped=is_stopped).paths == ()
    assert asked == 6
