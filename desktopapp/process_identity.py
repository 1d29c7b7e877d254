"""Which process holds a claim: a number alone is given out again, with the time of its start it is not."""

from __future__ import annotations

import os

# Clocks of two readings of the same start differ by ticks, those of two processes with one number by far more.
_SAME_START_S = 2.0


def start_time(pid: int) -> float | None:
    """When the process began, in seconds since 1970; None where it does not run."""
    import psutil  # 20 ms that the window's start need not pay

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def is_running_elsewhere(pid: int | None, started: float | None) -> bool:
    """True where another process than this one, begun at that time, still runs."""
    if pid is None or started is None or pid == os.getpid():
        return False
    found = start_time(pid)
    return found is not None and abs(found - started) < _SAME_START_S
