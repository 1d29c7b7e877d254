"""How much memory there is and who uses it: NVML for an NVIDIA GPU, the operating system without one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Protocol

import psutil

from desktopapp.engine.events import MemorySample

SYSTEM_MEMORY = "System memory"


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """The GPU that answers would run on.

    Args:
        name: as `NVIDIA GeForce RTX 4070`.
        total_bytes: of its memory.
        free_bytes: of these, free now.
        driver: version of its driver.
    """

    name: str
    total_bytes: int
    free_bytes: int
    driver: str


class MemoryProbe(Protocol):
    """Reads memory when it is asked to. Used from one thread."""

    def sample(self) -> MemorySample:
        """What is used now."""
        ...

    def close(self) -> None:
        """Give the library back."""
        ...


class SystemProbe:
    """The machine's own memory, for a machine without an NVIDIA GPU."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def sample(self) -> MemorySample:
        """What is used now."""
        memory = psutil.virtual_memory()
        used_bytes = memory.total - memory.available
        return MemorySample(SYSTEM_MEMORY, False, used_bytes, memory.total, self._process.memory_info().rss)

    def close(self) -> None:
        """Nothing is held."""


class NvmlProbe:
    """One NVIDIA GPU, through the driver's management library.

    Raises:
        GpuAbsent: there is no driver or no GPU, which is normal.
    """

    def __init__(self) -> None:
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

    def facts(self) -> GpuFacts:
        """Name, memory and driver."""
        try:
            memory = self._nvml.nvmlDeviceGetMemoryInfo(self._device)
            driver = _text(self._nvml.nvmlSystemGetDriverVersion())
        except self._nvml.NVMLError as error:
            raise GpuAbsent from error
        return GpuFacts(self._name, int(memory.total), int(memory.free), driver)

    def sample(self) -> MemorySample:
        """What is used now.

        Raises:
            GpuAbsent: the driver went away, as during its update.
        """
        facts = self.facts()
        used_bytes = facts.total_bytes - facts.free_bytes
        return MemorySample(self._name, True, used_bytes, facts.total_bytes, self._own_bytes())

    def close(self) -> None:
        """Give the library back."""
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


class GpuAbsent(Exception):
    """There is no NVIDIA GPU that can be asked; normal on many machines."""


def open_probe() -> MemoryProbe:
    """A probe of the GPU, else of the system's memory."""
    try:
        return NvmlProbe()
    except GpuAbsent:
        return SystemProbe()


def read_gpu() -> GpuFacts | None:
    """Facts of the GPU that answers would run on, or None."""
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
