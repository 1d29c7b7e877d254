"""One NVIDIA GPU, through NVML, the driver's management library."""

from __future__ import annotations

import os
import sys
from typing import Any

from desktopapp.engine.memory.probe.device import GpuAbsent, GpuFacts
from desktopapp.engine.memory.probe.windows_counters import ProcessCounters, open_process_counters
from desktopapp.engine.price_events import MemorySample


class NvmlProbe:
    """One NVIDIA GPU.

    Args:
        counters: what Windows knows of this process, which NVML does not tell there; opened where it is None.

    Raises:
        GpuAbsent: there is no driver or no GPU, which is normal.
    """

    def __init__(self, counters: ProcessCounters | None = None) -> None:
        try:
            import pynvml
        except ImportError as error:
            raise GpuAbsent from error
        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise GpuAbsent from error
        try:
            self._device = self._first_visible()
            self._name = _text(pynvml.nvmlDeviceGetName(self._device))
        except (pynvml.NVMLError, GpuAbsent) as error:
            pynvml.nvmlShutdown()
            raise GpuAbsent from error
        self._counters = counters or (open_process_counters() if sys.platform == "win32" else None)

    def facts(self) -> GpuFacts:
        """Name, memory and driver."""
        try:
            memory = self._nvml.nvmlDeviceGetMemoryInfo(self._device)
            driver = _text(self._nvml.nvmlSystemGetDriverVersion())
            major, minor = self._nvml.nvmlDeviceGetCudaComputeCapability(self._device)
        except self._nvml.NVMLError as error:
            raise GpuAbsent from error
        return GpuFacts(self._name, int(memory.total), int(memory.free), driver, (int(major), int(minor)))

    def sample(self) -> MemorySample:
        """See `MemoryProbe.sample`."""
        try:
            memory = self._nvml.nvmlDeviceGetMemoryInfo(self._device)
        except self._nvml.NVMLError as error:
            raise GpuAbsent from error
        used_bytes = int(memory.total) - int(memory.free)
        own_bytes, shared_bytes = self._own_bytes(), 0
        if self._counters is not None:
            dedicated_bytes, shared_bytes = self._counters.read()
            own_bytes = own_bytes or dedicated_bytes
        return MemorySample(
            self._name,
            True,
            used_bytes,
            int(memory.total),
            min(own_bytes, used_bytes),
            shared_bytes=shared_bytes,
        )

    def close(self) -> None:
        """Give the library back."""
        if self._counters is not None:
            self._counters.close()
        self._nvml.nvmlShutdown()

    def _own_bytes(self) -> int:
        """Of this process; 0 where the driver does not tell (Windows, a container with process ids of its own)."""
        try:
            processes = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._device)
        except self._nvml.NVMLError:
            return 0
        return sum(int(p.usedGpuMemory or 0) for p in processes if p.pid == os.getpid())

    def _first_visible(self) -> Any:
        """The GPU that CUDA calls number 0, as far as `CUDA_VISIBLE_DEVICES` says so."""
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        first = "0" if visible is None else visible.split(",")[0].strip()
        if first.isdecimal():
            return self._nvml.nvmlDeviceGetHandleByIndex(int(first))
        if first.startswith("GPU-"):
            return self._nvml.nvmlDeviceGetHandleByUUID(first)
        raise GpuAbsent


def read_gpu() -> GpuFacts | None:
    """Facts of the NVIDIA GPU that answers would run on, or None."""
    try:
        probe = NvmlProbe()
    except GpuAbsent:
        return None
    try:
        return probe.facts()
    except GpuAbsent:
        return None
    finally:
        probe.close()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
