"""Lexers come from threads that may outlive the view."""

import threading
import weakref

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from desktopapp.ui.conversation.lexers import LexerStore


class Listener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, bool]] = []

    def on_loaded(self, language: str) -> None:
        self.heard.append((language, threading.current_thread() is threading.main_thread()))


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_a_lexer_is_told_once_in_the_windows_thread(qtbot: QtBot, listener: Listener) -> None:
    store = LexerStore()
    store.loaded.connect(listener.on_loaded)
    store.get("Python")
    qtbot.waitUntil(lambda: bool(listener.heard))
    assert store.get("python") is not None
    store.wait()
    assert listener.heard == [("python", True)]


def test_what_pygments_does_not_know_has_no_lexer(qtbot: QtBot, listener: Listener) -> None:
    store = LexerStore()
    store.loaded.connect(listener.on_loaded)
    store.get("no such language")
    store.wait()
    assert store.get("no such language") is None
    assert listener.heard == []


def test_threads_hold_nothing_of_a_store_that_is_destroyed(
    qtbot: QtBot, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pygments.lexers

    found, goes_on = pygments.lexers.get_lexer_by_name, threading.Event()

    def find_late(name: str, **options: object) -> object:
        assert goes_on.wait(60.0)
        return found(name, **options)

    monkeypatch.setattr(pygments.lexers, "get_lexer_by_name", find_late)
    view = QObject()
    store = LexerStore(view)
    store.loaded.connect(listener.on_loaded)
    store.get("python")
    (thread,) = (one for one in threading.enumerate() if one.name == "lexer")
    delete(view)
    gone = weakref.ref(store)
    del store
    is_gone = gone() is None
    goes_on.set()
    thread.join(60.0)
    assert is_gone
    assert not thread.is_alive()
    assert listener.heard == []
