"""Opens dropped folders outside the window's thread: a network disk or a hundred thousand files may take their time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktopapp.ui.incoming import Expanded, expand_folders
from desktopapp.ui.reading_threads import ReadingThreads

# One that a dead network disk holds up leaves room for others.
_MOST_THREADS = 4


@dataclass(slots=True)
class _Listing:
    given: tuple[str, ...]
    stop: threading.Event
    expanded: Expanded | None = None


class FolderLister(QObject):
    """Runs `expand_folders` in threads of its own; what was given first is told first.

    Signals:
        listed: an `Expanded`.
        changed: something is being read that was not, or the other way round.
    """

    listed = Signal(object)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ReadingThreads(_MOST_THREADS, self)
        self._listings: dict[int, _Listing] = {}
        self._started = 0

    @property
    def being_read(self) -> tuple[str, ...]:
        """What was given and is not told yet, oldest first."""
        return tuple(path for listing in self._listings.values() for path in listing.given)

    def start(self, given: Sequence[str]) -> None:
        """Begin to list.

        Args:
            given: files and folders.
        """
        number, stop = self._started, threading.Event()
        self._started += 1
        self._listings[number] = _Listing(tuple(given), stop)

        def read() -> Expanded:
            return expand_folders(given, is_stopped=stop.is_set)

        self._threads.start(read, lambda expanded: self._on_read(number, expanded))
        self.changed.emit()

    def cancel(self) -> None:
        """Tell nothing more of what is being read."""
        was_reading = bool(self._listings)
        for listing in self._listings.values():
            listing.stop.set()
        self._listings.clear()
        if was_reading:
            self.changed.emit()

    def close(self) -> None:
        """Cancel, and give the threads a moment: they stop at the next file."""
        self.blockSignals(True)
        self.cancel()
        self._threads.close()

    def _on_read(self, number: int, expanded: Expanded) -> None:
        listing = self._listings.get(number)
        if listing is None:  # cancelled while its result was under way
            return
        listing.expanded = expanded
        while self._listings:
            first = next(iter(self._listings))
            ready = self._listings[first].expanded
            if ready is None:
                return
            del self._listings[first]
            self.changed.emit()
            self.listed.emit(ready)
