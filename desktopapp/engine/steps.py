"""What the computing thread does now, and how long that should take.

The control thread puts this into each heartbeat, so that the window's process can tell slow from hung:
a step may last ten times its estimate, at least ten seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_LEARNING_RATE = 0.3


@dataclass(frozen=True, slots=True)
class StepState:
    """A snapshot: name of the step (empty when idle), seconds so far, seconds estimated."""

    step: str = ""
    elapsed_s: float = 0.0
    estimate_s: float = 0.0


class StepClock:
    """Times the steps of a request and learns their speed.

    Work is counted in any unit that grows with the time (FLOP, bytes); each step has its own rate, which
    begins pessimistic and follows what is measured.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step = ""
        self._began_s = 0.0
        self._estimate_s = 0.0
        self._rates: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, work: float, initial_rate: float) -> Iterator[None]:
        """Run the body as one step.

        Args:
            name: of the step: `load`, `pixels`, `image`, `prefill`, `decode`.
            work: in the step's own unit, above zero.
            initial_rate: units a second to assume until one such step was measured; choose it low.
        """
        began_s = time.monotonic()
        with self._lock:
            rate = self._rates.get(name, initial_rate)
            outer = (self._step, self._began_s, self._estimate_s)
            self._step, self._began_s, self._estimate_s = name, began_s, work / rate
        try:
            yield
        except BaseException:
            with self._lock:
                self._step, self._began_s, self._estimate_s = outer
            raise
        elapsed_s = max(time.monotonic() - began_s, 1e-6)
        with self._lock:
            self._step, self._began_s, self._estimate_s = outer
            known = self._rates.get(name)
            measured = work / elapsed_s
            self._rates[name] = measured if known is None else known + _LEARNING_RATE * (measured - known)

    def read(self) -> StepState:
        """What is being done now. Safe from any thread."""
        with self._lock:
            if not self._step:
                return StepState()
            return StepState(self._step, time.monotonic() - self._began_s, self._estimate_s)
