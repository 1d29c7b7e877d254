"""Threads that read disks which may never answer: neither the window nor the end of the program waits for one of them.

The threads know nothing of Qt: one that a dead network disk holds up may go on when its window is long gone. A timer in
the window's thread looks what has come.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer

T = TypeVar("T")

PATIENCE_S = 0.5
"""How long closing waits for what is being read: enough for what a disk that answers does."""

# Where nothing comes, the timer looks more and more seldom.
_SOONEST_MS, _LATEST_MS = 10, 160


class ReadingThread(threading.Thread):
    """One of them. A daemon, for which Python does not wait."""


class ReadingThreads(QObject):
    """Reads in threads of its own, and tells in the window's what was read.

    Args:
        most: threads at a time; what is started beyond them waits.
        parent: as always.
    """

    def __init__(self, most: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shared = _Shared(most)
        self._tells: dict[int, Callable[[], None]] = {}
        self._ended: deque[int] = deque()
        self._started = 0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_timeout)

    def start(self, read: Callable[[], T], tell: Callable[[T], None]) -> None:
        """Read some time soon.

        Args:
            read: called in a thread; may hold no `QObject`.
            tell: called in the window's thread with what `read` returned, unless all was closed before.
        """
        found: list[T] = []
        self._tells[self._started] = lambda: tell(found[0]) if found else None
        self._shared.add(self._started, lambda: found.append(read()))
        self._started += 1
        self._timer.start(_SOONEST_MS)

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Tell nothing more, begin nothing more, and leave a thread that is held up to itself.

        Args:
            patience_s: how long to wait for the others.
        """
        self._timer.stop()
        self._tells.clear()
        self._shared.close(patience_s)

    def _on_timeout(self) -> None:
        self._ended.extend(self._shared.take_ended())
        if self._tells:
            self._timer.start(_SOONEST_MS if self._ended else min(2 * self._timer.interval(), _LATEST_MS))
        while self._ended:
            tell = self._tells.pop(self._ended.popleft(), None)  # what is told may close all
            if tell is not None:
                tell()


class _Shared:
    """What the threads and the window's thread both know."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._ended: list[int] = []
        self._threads: set[threading.Thread] = set()

    def add(self, number: int, work: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.append((number, work))
            if len(self._threads) < self._most:
                thread = ReadingThread(target=self._work, name="reader", daemon=True)
                self._threads.add(thread)
                thread.start()

    def take_ended(self) -> list[int]:
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def close(self, patience_s: float) -> None:
        deadline_s = time.monotonic() + patience_s
        with self._lock:
            self._waiting.clear()
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                number, work = self._waiting.popleft()
            try:
                work()
            except Exception:  # noqa: BLE001 - a defect; the others are read all the same
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
            del work
            with self._lock:
                self._ended.append(number)
