"""When a silent or slow engine process counts as hung."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.events import CancelAcknowledged, Event, Heartbeat

STEP_FACTOR = 10.0
"""A step may take this many times its estimate."""


@dataclass(frozen=True, slots=True)
class HangLimits:
    """How patient the window's process is, in seconds.

    Args:
        start_s: until the first heartbeat of a new process: it imports modules from a disk that may be cold.
        silence_s: without a heartbeat while nobody asked to stop.
        stop_silence_s: without a heartbeat after Stop.
        step_s: a step is never too long before this.
        load_s: the same for loading. The import of a large library may hold the GIL for long, heartbeats included,
            so that in a load this rule (or `stop_silence_s` after Stop) takes the place of `silence_s`.
    """

    start_s: float = 60.0
    silence_s: float = 10.0
    stop_silence_s: float = 2.0
    step_s: float = 10.0
    load_s: float = 60.0


class Watchdog:
    """Judges one life of the engine process. All times are of one monotonic clock, in seconds.

    Args:
        limits: how patient to be.
        now_s: when the process was started.
    """

    def __init__(self, limits: HangLimits, now_s: float) -> None:
        self._limits = limits
        self._heard_s = now_s
        self._state: Heartbeat | None = None
        self._loading_s: float | None = None
        self._stopped_s: float | None = None

    def hear(self, event: Event, now_s: float) -> None:
        """Take note of an event; only the listening thread's own prove that it lives."""
        if isinstance(event, Heartbeat):
            self._state = event
        if isinstance(event, Heartbeat | CancelAcknowledged):
            self._heard_s = now_s

    def set_loading(self, loading: bool, now_s: float) -> None:
        """A load began or ended."""
        if not loading:
            self._loading_s = None
        elif self._loading_s is None:
            self._loading_s = now_s

    def set_stopping(self, stopped_s: float | None) -> None:
        """When Stop was sent for what runs now; None if it was not."""
        self._stopped_s = stopped_s

    def forgive(self, gap_s: float) -> None:
        """Nobody could listen for a while: this machine was suspended, or its processes stood still."""
        self._heard_s += gap_s
        if self._loading_s is not None:
            self._loading_s += gap_s
        if self._stopped_s is not None:
            self._stopped_s += gap_s

    def overdue_s(self, now_s: float) -> float | None:
        """Seconds since the last sign of life or progress if the process has to be killed, else None."""
        silent_s = now_s - self._heard_s
        if self._state is None:
            return silent_s if silent_s > self._limits.start_s else None
        step_s = self._state.elapsed_s + silent_s if self._state.step else 0.0
        patience_s = STEP_FACTOR * self._state.estimate_s
        if self._stopped_s is not None:
            since_stop_s = now_s - self._stopped_s
            if min(silent_s, since_stop_s) > self._limits.stop_silence_s:
                return silent_s
            if since_stop_s > max(self._limits.step_s, patience_s):
                return since_stop_s
        if self._loading_s is not None:
            load_s = step_s or now_s - self._loading_s
            return load_s if load_s > max(self._limits.load_s, patience_s) else None
        if silent_s > self._limits.silence_s:
            return silent_s
        return step_s if step_s > max(self._limits.step_s, patience_s) else None
