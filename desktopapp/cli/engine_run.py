"""Run the engine in a thread, so that Ctrl-C is heard while native code computes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Self

from desktopapp.cli.terminal import INTERRUPTED
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Event
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.request import Request
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store

# Waiting without a timeout would keep Python on Windows from noticing Ctrl-C.
_POLL_S = 0.2
_GRACE_S = 5.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EngineRun:
    """One request from beginning to end, as a context manager; the main thread's.

    The first Ctrl-C or SIGTERM cancels the request, the second ends the process.

    Args:
        request: what is asked.

    Attributes:
        exit_code: that the process will end with.
        interrupted: a signal asked for the end.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._token = CancelToken()
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self.exit_code = INTERRUPTED
        self.interrupted = False

    def __enter__(self) -> Self:
        # Where llama.cpp aborts it would start a debugger on itself first; its message is enough.
        os.environ.setdefault("GGML_NO_BACKTRACE", "1")
        for number, handler in self._handlers.items():
            if handler is not signal.SIG_IGN:  # a shell's background job is not meant by Ctrl-C
                signal.signal(number, self._interrupt)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._token.cancel()
        self._thread.join(_GRACE_S)
        if self._thread.is_alive():  # deep in native code: nothing of ours is unwritten
            os._exit(self.exit_code)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def events(self) -> Iterator[Event]:
        """The events as they come, up to the last one."""
        while True:
            try:
                event = self._events.get(timeout=_POLL_S)
            except Empty:
                continue
            if event is None:
                return
            yield event

    def cancel(self) -> None:
        """Ask the request to end at its next step."""
        self._token.cancel()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.interrupted:
            os._exit(INTERRUPTED)
        self.interrupted = True
        self._token.cancel()

    def _work(self) -> None:
        engine = Engine(store, default_backends(), StepClock(), RequestPlanner(store))
        try:
            for event in engine.generate(self._request, self._token):
                self._events.put(event)
        finally:
            self._events.put(None)
            engine.unload()
