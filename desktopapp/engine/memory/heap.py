"""Memory of this process that its allocator holds and nobody uses."""

from __future__ import annotations

import ctypes
import sys


def give_back_freed() -> None:
    """Hand freed pages back to the system, which the C library keeps for later; a few milliseconds.

    Source: `malloc_trim(3)` of glibc. Elsewhere the allocator hands them back by itself, or cannot be asked.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(ctypes.c_size_t(0))
