"""What a person may ask of a running request from another thread: to stop, or to answer now."""

from __future__ import annotations

import threading


class Cancelled(Exception):
    """Raised inside the engine to leave a cancelled request; never shown to the person."""


class CancelToken:
    """Set once by Stop from any thread; read between tokens, prefill chunks and images.

    It carries the wish for an answer as well, which ends a thought and nothing else.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._answer = threading.Event()

    def ask_for_answer(self) -> None:
        """End the thought that runs, and let the model answer from what it has. Safe from any thread."""
        self._answer.set()

    @property
    def answer_wanted(self) -> bool:
        """Whether thinking is to end."""
        return self._answer.is_set()

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
