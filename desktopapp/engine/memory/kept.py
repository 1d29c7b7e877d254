"""Values that are slow to read and may be a moment old."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that is read again when it is older than some seconds. Used from one thread.

    Args:
        read: reads it.
        kept_s: how old it may become.
        clock: seconds, growing.
    """

    def __init__(
        self, read: Callable[[], T], kept_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._kept_s, self._clock = read, kept_s, clock
        self._value: tuple[float, T] | None = None

    def read(self) -> T:
        """The value of now, or of a moment ago."""
        now_s = self._clock()
        if self._value is None or now_s - self._value[0] >= self._kept_s:
            self._value = (now_s, self._read())
        return self._value[1]
