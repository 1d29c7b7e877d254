"""The cancel token of one request."""

from __future__ import annotations

import threading


class Cancelled(Exception):
    """Raised inside the engine to leave a cancelled request; never shown to the person."""


class CancelToken:
    """Set once by Stop from any thread; read between tokens, prefill chunks and images."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the running request to end at its next step. Safe from any thread, any number of times."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether Stop was asked for."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled if Stop was asked for."""
        if self._event.is_set():
            raise Cancelled
