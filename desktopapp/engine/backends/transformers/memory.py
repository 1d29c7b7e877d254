"""Out-of-memory errors of torch, and the peak of what was used."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TypeVar

import psutil
import torch

from desktopapp.errors import OutOfMemory

T = TypeVar("T")

# What torch's CPU allocator says; it raises a plain RuntimeError.
_CPU_ALLOCATOR = "DefaultCPUAllocator"


def run_in_memory(what: str, compute: Callable[[], T]) -> T:
    """Run a computation; when memory runs out, give back what it held, then say so.

    Args:
        what: being done, for the message: `reading a picture`.
        compute: the computation.

    Raises:
        OutOfMemory: of the GPU or of the system. It carries no reference to the failed frames, whose tensors
            would otherwise stay.
    """
    try:
        return compute()
    except (torch.OutOfMemoryError, MemoryError) as error:
        detail = _first_line(error)
    except RuntimeError as error:
        if _CPU_ALLOCATOR not in str(error):
            raise
        detail = _first_line(error)
    free_unused()
    raise OutOfMemory(what=what, detail=detail)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def free_unused() -> None:
    """Collect garbage and hand the CUDA allocator's unused blocks back to the driver."""
    gc.collect()
    # Without effect where CUDA was never used.
    torch.cuda.empty_cache()


def free_bytes(device: torch.device) -> int:
    """Memory that can still be allocated: of the GPU, else of the system."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def reset_peak(device: torch.device) -> None:
    """Begin a new measurement on a GPU; the system keeps one peak for the life of the process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Most bytes used: by torch's allocator on a GPU since `reset_peak`, else resident in this process ever."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, Linux in KiB.
    return peak if sys.platform == "darwin" else peak * 1024
