"""Pygments lexers, imported in a thread so that the window never waits for one."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

if TYPE_CHECKING:
    from pygments.lexer import Lexer


class LexerStore(QObject):
    """Finds the lexer for a language; a language that Pygments does not know has none.

    Signals:
        loaded: the lexer of a language is there now; carries the language.
    """

    loaded = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lexers: dict[str, Lexer | None] = {}
        self._threads: dict[str, Thread] = {}

    def get(self, language: str) -> Lexer | None:
        """The lexer if it is loaded; else None, and `loaded` comes when it is (if there is one)."""
        name = language.lower()
        if name and name not in self._lexers and name not in self._threads:
            self._start(name)
        return self._lexers.get(name)

    def warm_up(self) -> None:
        """Import the Markdown parser and Pygments before they are needed."""
        if "" not in self._threads:
            self._start("")

    def wait(self) -> None:
        """Return when everything asked for is loaded."""
        for thread in list(self._threads.values()):
            thread.join()

    def _start(self, name: str) -> None:
        thread = Thread(target=self._load, args=(name,), name="lexer", daemon=True)
        self._threads[name] = thread
        thread.start()

    def _load(self, name: str) -> None:
        import pygments.lexers
        from pygments.util import ClassNotFound

        if not name:
            from desktopapp.ui.conversation.parser import parse_units

            parse_units("**a** `b`\n\n| a |\n|---|\n")
            return
        try:
            self._lexers[name] = pygments.lexers.get_lexer_by_name(name, stripnl=False, ensurenl=False)
        except ClassNotFound:
            self._lexers[name] = None
            return
        if isValid(self):
            self.loaded.emit(name)
