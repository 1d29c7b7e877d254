"""Events of the engine process itself, told by the window's side; the rest come from the engine."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.events import Event


@dataclass(frozen=True, slots=True)
class EngineStarted:
    """The engine process was started; no model is loaded in it.

    Args:
        process_id: of the operating system.
        again: it takes the place of one that ended.
        log_path: what it prints goes there.
    """

    process_id: int
    again: bool
    log_path: str


@dataclass(frozen=True, slots=True)
class EngineStopped:
    """The engine process has ended without being told to, and its model with it.

    Args:
        detail: how it ended.
        starts_again: another is being started. If not, the next request starts one.
    """

    detail: str
    starts_again: bool = False


@dataclass(frozen=True, slots=True)
class HandedOn(Event):
    """The engine process ended before it took a request up; the request goes to the next one, once.

    Args:
        request_id: the request, of which nothing was answered yet.
        detail: how the process ended.
    """

    request_id: str
    detail: str
