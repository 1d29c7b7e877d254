"""The most memory that this process has used."""

from __future__ import annotations

import os
import sys

import psutil
import pynvml


class PeakMemory:
    """Keeps the highest of what it reads.

    Args:
        on_gpu: read the GPU's memory; else the process's resident memory.
    """

    def __init__(self, *, on_gpu: bool) -> None:
        self._on_gpu = on_gpu
        self._highest = 0

    def sample(self) -> int:
        """Read once; returns the highest so far in bytes."""
        now = _gpu_bytes() if self._on_gpu else 0
        # Without NVML (another vendor's GPU) resident memory is what can be told.
        self._highest = max(self._highest, now or _peak_resident_bytes())
        return self._highest


def _peak_resident_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _gpu_bytes() -> int:
    """Memory of this process on all NVIDIA GPUs; 0 where NVML cannot tell."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return 0
    try:
        total = 0
        for index in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(index)
            for process in pynvml.nvmlDeviceGetComputeRunningProcesses(device):
                if process.pid == os.getpid():
                    total += process.usedGpuMemory or 0
        return total
    except pynvml.NVMLError:
        return 0
    finally:
        pynvml.nvmlShutdown()
