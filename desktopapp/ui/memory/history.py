"""The last minutes of the engine's and of all memory. No Qt in here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN_S = 180.0
_STEP_S = 0.5


@dataclass(slots=True)
class Moment:
    """Memory within half a second; the highest of what was sampled, so that no peak is lost.

    Args:
        time_s: when it began.
        engine: share of the device, 0..1.
        used: likewise, all programs.
    """

    time_s: float
    engine: float
    used: float


class History:
    """Moments of the last three minutes, oldest first."""

    def __init__(self) -> None:
        self.moments: deque[Moment] = deque()

    def add(self, time_s: float, engine: float, used: float) -> None:
        """Take a sample.

        Args:
            time_s: of a clock that only grows.
            engine: share of the device, 0..1.
            used: likewise.
        """
        last = self.moments[-1] if self.moments else None
        if last is not None and time_s - last.time_s < _STEP_S:
            last.engine, last.used = max(last.engine, engine), max(last.used, used)
        else:
            self.moments.append(Moment(time_s, engine, used))
        while self.moments[0].time_s < time_s - SPAN_S:
            self.moments.popleft()

    def clear(self) -> None:
        """Begin anew, as for another device."""
        self.moments.clear()
