"""Run the engine in a process of its own, so that Ctrl-C is heard and a library that aborts ends nothing but that."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self

from desktopapp.cli.terminal import INTERRUPTED
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.events import Event, Failed, Finished
from desktopapp.engine.price_events import MemorySample
from desktopapp.engine.request import Request
from desktopapp.worker.engine_process import EngineProcess
from desktopapp.worker.process_events import EngineStarted, EngineStopped

# A signal is looked at between two of these.
_POLL_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EngineRun:
    """One request from beginning to end, as a context manager; the main thread's.

    The first Ctrl-C or SIGTERM cancels the request, the second ends the process.

    Args:
        request: what is asked.

    Attributes:
        interrupted: a signal asked for the end.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._process = EngineProcess(default_backends)
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._is_cancelled = False
        self.interrupted = False

    def __enter__(self) -> Self:
        for number, handler in self._handlers.items():
            if handler is not signal.SIG_IGN:  # a shell's background job is not meant by Ctrl-C
                signal.signal(number, self._interrupt)
        self._process.submit(self._request)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def events(self) -> Iterator[Event]:
        """The events of the request as they come, up to the last one."""
        while True:
            for event in self._process.poll(_POLL_S):
                if isinstance(event, MemorySample | EngineStarted | EngineStopped):
                    continue
                yield event
                if isinstance(event, Finished | Failed):
                    return
            if self.interrupted:
                self.cancel()

    def cancel(self) -> None:
        """Ask the request to end at its next step."""
        if not self._is_cancelled:
            self._is_cancelled = True
            self._process.cancel(self._request.request_id)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Only note it: what runs here may hold a lock of the engine's client."""
        if self.interrupted:
            os._exit(INTERRUPTED)
        self.interrupted = True
