"""Samples the device that answers run on, and keeps doing so while drivers come and go."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from desktopapp.engine.memory.probe.amd import AmdProbe
from desktopapp.engine.memory.probe.device import GpuAbsent, MemoryProbe
from desktopapp.engine.memory.probe.nvidia import NvmlProbe
from desktopapp.engine.memory.probe.system import SystemProbe
from desktopapp.engine.price_events import MemoryParts, MemorySample

REOPEN_PERIOD_S = 5.0
"""How often a GPU whose driver went away is looked for again."""


def open_gpu_probe() -> MemoryProbe:
    """A probe of the GPU that answers would run on.

    Raises:
        GpuAbsent: there is none.
    """
    try:
        return NvmlProbe()
    except GpuAbsent:
        return AmdProbe()


def sample_gpu() -> MemorySample | None:
    """One look at the GPU that answers would run on; None without one."""
    try:
        probe = open_gpu_probe()
    except GpuAbsent:
        return None
    try:
        return probe.sample()
    except GpuAbsent:
        return None
    finally:
        probe.close()


class DeviceWatch:
    """Reads the right device each time it is asked.

    Args:
        open_gpu: opens a probe of the GPU, or raises GpuAbsent.
        clock: seconds, growing.
    """

    def __init__(
        self,
        open_gpu: Callable[[], MemoryProbe] = open_gpu_probe,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_gpu = open_gpu
        self._clock = clock
        self._system = SystemProbe()
        self._gpu: MemoryProbe | None = None
        self._had_gpu = False
        self._reopen_s = clock()

    def sample(self, parts: MemoryParts | None = None, *, on_gpu: bool | None = None) -> MemorySample:
        """What is used now.

        Args:
            parts: what the backend holds on its device.
            on_gpu: whether the loaded model runs on a GPU; None while none is loaded: the GPU if there is one.
        """
        sample = self._sample_gpu() if on_gpu is not False else None
        return complete(sample or self._system.sample(), parts or MemoryParts())

    def close(self) -> None:
        """Give the GPU's library back."""
        gpu, self._gpu = self._gpu, None
        if gpu is not None:
            gpu.close()

    def _sample_gpu(self) -> MemorySample | None:
        if self._gpu is None and self._clock() >= self._reopen_s:
            try:
                self._gpu = self._open_gpu()
                self._had_gpu = True
            except GpuAbsent:
                # A machine that never had one is asked once: the engine would see a new one after a restart only.
                self._reopen_s = self._clock() + REOPEN_PERIOD_S if self._had_gpu else math.inf
        if self._gpu is None:
            return None
        try:
            return self._gpu.sample()
        except GpuAbsent:  # its driver is being replaced
            self.close()
            self._reopen_s = self._clock() + REOPEN_PERIOD_S
            return None


def complete(sample: MemorySample, parts: MemoryParts) -> MemorySample:
    """Join what the driver says with what the backend knows.

    Where the driver does not tell what this process uses, the backend's own sum is taken; then the runtime's
    context counts among other programs.

    Args:
        sample: of the device that the backend runs on.
        parts: of the backend.
    """
    engine_bytes = sample.engine_bytes or min(parts.total_bytes, sample.used_bytes)
    return replace(sample, engine_bytes=engine_bytes, parts=parts)
