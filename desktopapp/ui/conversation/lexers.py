"""Pygments lexers, imported in a thread so that the window never waits for one.

The threads know nothing of Qt: a view may be destroyed while they work, and a signal that is emitted meanwhile by an object
of it reads freed memory. A timer in the window's thread looks what has come.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_LOOK_MS = 20


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
        self._untold: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._tell_loaded)

    def get(self, language: str) -> Lexer | None:
        """The lexer if it is loaded; else None, and `loaded` comes when it is (if there is one)."""
        name = language.lower()
        if name and name not in self._lexers and name not in self._threads:
            self._untold.add(name)
            self._start(name)
            self._timer.start()
        return self._lexers.get(name)

    def warm_up(self) -> None:
        """Import the Markdown parser and Pygments before they are needed."""
        if "" not in self._threads:
            self._start("")

    def wait(self) -> None:
        """Return when everything asked for is loaded and told."""
        for thread in list(self._threads.values()):
            thread.join()
        self._tell_loaded()

    def _start(self, name: str) -> None:
        thread = Thread(target=_load, args=(name, self._lexers), name="lexer", daemon=True)
        self._threads[name] = thread
        thread.start()

    def _tell_loaded(self) -> None:
        ended = {name for name in self._untold if not self._threads[name].is_alive()}
        self._untold -= ended
        if not self._untold:
            self._timer.stop()
        for name in sorted(ended):
            if self._lexers.get(name) is not None:
                self.loaded.emit(name)


def _load(name: str, lexers: dict[str, Lexer | None]) -> None:
    """Add the lexer of a language; without a name, import what Markdown and lexers need."""
    import pygments.lexers
    from pygments.util import ClassNotFound

    if not name:
        from desktopapp.ui.conversation.parser import parse_units

        parse_units("**a** `b`\n\n| a |\n|---|\n")
        return
    try:
        lexers[name] = pygments.lexers.get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexers[name] = None
