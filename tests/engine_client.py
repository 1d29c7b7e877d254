"""An `EngineProcess` with the waiting that tests need."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.events import Failed, Finished
from desktopapp.engine.request import Attachment, BackendChoice, Mode, ModelChoice, Request, Role, Turn
from desktopapp.worker.engine_process import EngineProcess, ProcessEvent
from desktopapp.worker.watchdog import HangLimits

T = TypeVar("T")
PATIENCE_S = 300.0
FAKE = ModelChoice("fake", BackendChoice.FAKE)


def question(
    request_id: str,
    text: str = "What is this?",
    attach: tuple[str, ...] = (),
    mode: Mode | None = None,
    max_new_tokens: int | None = None,
) -> Request:
    """A request to the fake backend."""
    turn = Turn(Role.USER, text, tuple(Attachment(path) for path in attach))
    choice = ModelChoice("fake", BackendChoice.FAKE, mode)
    return Request(request_id, choice, (turn,), max_new_tokens=max_new_tokens)


class EngineClient:
    """Collects what an engine process says."""

    def __init__(
        self, make_backends: BackendFactory, log_dir: Path, limits: HangLimits | None = None
    ) -> None:
        self.process = EngineProcess(make_backends, limits=limits, log_dir=log_dir)
        self.events: list[ProcessEvent] = []

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()

    def wait_for(self, kind: type[T], after: int = 0) -> T:
        """The first event of a class at or behind a place in `events`."""
        return self._wait_for((kind,), after)

    def _wait_for(self, kinds: tuple[type[T], ...], after: int) -> T:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            for event in self.events[after:]:
                if isinstance(event, kinds):
                    return event
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"none of {kinds} among {self.events[after:]}")
            self.events += self.process.poll(0.5)

    def wait_for_end(self, request_id: str) -> Finished | Failed:
        """How a request ended."""
        place = 0
        while True:
            event = self._wait_for((Finished, Failed), place)
            if event.request_id == request_id:
                return event
            place = self.events.index(event, place) + 1

    def ask(self, request: Request) -> Finished | Failed:
        """Submit a request and wait for its end."""
        self.process.submit(request)
        return self.wait_for_end(request.request_id)

    def listen(self, seconds: float) -> None:
        """Collect what comes for a while."""
        deadline_s = time.monotonic() + seconds
        while (left_s := deadline_s - time.monotonic()) > 0:
            self.events += self.process.poll(left_s)
