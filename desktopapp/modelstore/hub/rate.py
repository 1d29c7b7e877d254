"""How fast bytes come, how long the rest will take, and telling that a few times a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from desktopapp.modelstore.hub.download import Phase, Progress

_WINDOW_S = 8.0
_LEAST_S = 0.5
_TELL_EVERY_S = 0.2


class Rate:
    """Bytes a second over the last seconds.

    Args:
        clock: seconds, growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, done_bytes: int) -> None:
        """Take note of how much is there now."""
        now_s = self._clock()
        if self._seen and done_bytes < self._seen[-1][1]:
            self._seen.clear()  # it began anew
        self._seen.append((now_s, done_bytes))
        while len(self._seen) > 2 and now_s - self._seen[1][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def bytes_per_s(self) -> float:
        """0 while it cannot be told."""
        if len(self._seen) < 2:
            return 0.0
        (start_s, start), (end_s, end) = self._seen[0], self._seen[-1]
        return (end - start) / (end_s - start_s) if end_s - start_s >= _LEAST_S else 0.0

    def left_s(self, missing_bytes: int) -> float | None:
        """Seconds until the rest is there; None while it cannot be told."""
        rate = self.bytes_per_s
        return missing_bytes / rate if rate > 0 else None


class ProgressTeller:
    """Takes the progress of every block and passes on what a person can read.

    Args:
        tell: gets the progress, bytes a second, and seconds left or None.
    """

    def __init__(self, tell: Callable[[Progress, float, float | None], None]) -> None:
        self._tell = tell
        self._rate = Rate()
        self._told_s = float("-inf")
        self._last: tuple[Phase, str] | None = None

    def __call__(self, progress: Progress) -> None:
        """Take note of a block."""
        now_s = time.monotonic()
        place = (progress.phase, progress.file)
        is_end = progress.done_bytes >= progress.total_bytes
        if place == self._last and now_s - self._told_s < _TELL_EVERY_S and not is_end:
            return
        self._told_s, self._last = now_s, place
        if progress.phase is Phase.CHECKING:
            self._tell(progress, 0.0, None)
            return
        self._rate.add(progress.done_bytes)
        left_s = self._rate.left_s(progress.total_bytes - progress.done_bytes)
        self._tell(progress, self._rate.bytes_per_s, left_s)
