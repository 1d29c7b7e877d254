"""Ctrl+C in the terminal and the system's request to end close the window as its own button does."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class TerminationWatcher(QObject):
    """Turns SIGINT and SIGTERM into a Qt signal.

    The bytes that `set_wakeup_fd` writes into a socket wake Qt's event loop, which then tells. Python's own handlers
    do nothing: they run between any two instructions, also where a lock is held that closing the window needs.

    Signals:
        requested: the program shall end.
    """

    requested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._drain)
        self._previous_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._previous_handlers = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def close(self) -> None:
        """Give the handlers back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._previous_descriptor)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Only there so that Python writes the signal's number instead of ending the program."""

    def _drain(self) -> None:
        numbers = self._reader.recv(4096)
        if signal.SIGINT in numbers or signal.SIGTERM in numbers:
            self.requested.emit()
