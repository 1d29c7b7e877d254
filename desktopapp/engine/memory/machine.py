"""What this machine, or one that is only imagined, has to run a model in."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import psutil

from desktopapp.engine.memory.probe import SYSTEM_MEMORY, sample_gpu
from desktopapp.engine.request import BackendChoice

_BFLOAT16_FLAGS = ("amx_bf16", "avx512_bf16", "svebf16", "bf16")
_GPU_LIBRARIES = ("ggml-cuda", "ggml-hip", "ggml-metal", "ggml-vulkan", "ggml-sycl")
_TORCH_LIBRARIES = ("libtorch_cuda.so", "torch_cuda.dll", "libtorch_hip.so")


@dataclass(frozen=True, slots=True)
class Device:
    """One memory.

    Args:
        name: as `NVIDIA GeForce RTX 4070` or `System memory`.
        is_gpu: it is a GPU's.
        free_bytes: that can be had now, what this program holds already included.
        total_bytes: that there is.
    """

    name: str
    is_gpu: bool
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A GPU or none, and the system's memory.

    Args:
        system: the system's memory.
        gpu: the GPU that answers would run on.
        gpu_backends: those whose installed libraries use it.
        resident_bytes: of system memory, what this process holds now, its libraries included.
    """

    system: Device
    gpu: Device | None = None
    gpu_backends: frozenset[BackendChoice] = frozenset()
    resident_bytes: int = 0

    def device_for(self, backend: BackendChoice) -> Device:
        """Where a backend puts its model."""
        return self.gpu if self.gpu is not None and backend in self.gpu_backends else self.system


def read_machine(own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
    """This machine as it is now.

    Args:
        own_gpu_bytes: of the GPU's memory, what this process holds and would use again.
        other_bytes: that this process holds of the same memory, and keeps: another loaded model.
    """
    gpu, resident_bytes = _read_gpu(own_gpu_bytes, other_bytes), psutil.Process().memory_info().rss
    return Machine(read_system(other_bytes), gpu, installed_gpu_backends(), resident_bytes)


def imagine_machine(free_bytes: int | None, *, has_gpu: bool) -> Machine:
    """A machine to try a plan on.

    Args:
        free_bytes: of the device that runs the model; None for what this machine has.
        has_gpu: whether it has a GPU, which then both backends can use.
    """
    if not has_gpu:
        system = read_system()
        return Machine(system if free_bytes is None else Device(SYSTEM_MEMORY, False, free_bytes, free_bytes))
    if free_bytes is None:
        return read_machine()
    gpu = Device(f"GPU with {free_bytes / 2**30:g} GiB free", True, free_bytes, free_bytes)
    return Machine(read_system(), gpu, frozenset({BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP}))


def read_system(other_bytes: int = 0) -> Device:
    """The system's memory, what this process has resident counted as free.

    Mapped files (a GGUF's weights, libraries) are not added: the system calls their pages available already.

    Args:
        other_bytes: see `read_machine`.
    """
    memory, process = psutil.virtual_memory(), psutil.Process().memory_info()
    own = max(0, process.rss - getattr(process, "shared", 0) - other_bytes)
    return Device(SYSTEM_MEMORY, False, min(memory.total, memory.available + own), memory.total)


def installed_gpu_backends() -> frozenset[BackendChoice]:
    """The backends whose libraries are built for a GPU, seen from their files, without importing them."""
    found = set()
    if _has_library("torch", "lib", _TORCH_LIBRARIES):
        found.add(BackendChoice.TRANSFORMERS)
    if _has_library("llama_cpp", "lib", _GPU_LIBRARIES):
        found.add(BackendChoice.LLAMA_CPP)
    return frozenset(found)


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices by instructions of its own, as far as Linux tells."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return any(f" {flag}" in flags for flag in _BFLOAT16_FLAGS)


def _has_library(package: str, folder: str, names: tuple[str, ...]) -> bool:
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    files = (path.name for place in places or () for path in (Path(place) / folder).glob("*"))
    return any(name in file for file in files for name in names)


def _read_gpu(own_bytes: int, other_bytes: int) -> Device | None:
    sample = sample_gpu()
    if sample is None:
        return None
    # Where the driver does not tell what is this process's, the GPU runtime's own part stays uncounted.
    again = max(own_bytes, sample.engine_bytes - other_bytes)
    free = sample.total_bytes - sample.used_bytes + again
    return Device(sample.device, True, min(free, sample.total_bytes), sample.total_bytes)
