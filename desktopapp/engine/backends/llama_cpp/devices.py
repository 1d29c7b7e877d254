"""Where a model runs: the GPUs that the installed build of llama.cpp can use, and how much of a model fits there."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

import psutil

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.llama_cpp.library import ggml, ggml_base, llama
from desktopapp.errors import BackendUnavailable

# Source: enum ggml_backend_dev_type.
_GPU_TYPES = (1, 2)
# Left free on a device: compute buffers of both graphs at the batch sizes used here, and the desktop's own needs.
DEVICE_MARGIN_BYTES = 1 << 30
_ALL_LAYERS = -1

ggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
ggml_base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
ggml_base.ggml_backend_dev_type.restype = ctypes.c_int
ggml_base.ggml_backend_dev_name.argtypes = [ctypes.c_void_p]
ggml_base.ggml_backend_dev_name.restype = ctypes.c_char_p
_SizePointer = ctypes.POINTER(ctypes.c_size_t)
ggml_base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, _SizePointer, _SizePointer]
ggml_base.ggml_backend_dev_memory.restype = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as llama.cpp sees it: its name (`CUDA0`, `Metal`, `Vulkan0`) and its free memory in bytes."""

    name: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Placement:
    """How much of a model goes to the GPUs.

    Args:
        gpu_layers: repeating layers there; -1 for all, with the output layer; 0 for none.
        vision_on_gpu: whether the vision tower goes there.
        device: of the language model, for the person: `cuda:0`, `cpu`, `cuda:0 + cpu`.
    """

    gpu_layers: int
    vision_on_gpu: bool
    device: str

    @property
    def uses_gpu(self) -> bool:
        """Whether layers of the language model, and with them the KV cache, are on a GPU."""
        return self.gpu_layers != 0


def list_gpus() -> list[Gpu]:
    """The GPUs that this build can use; none without GPU support."""
    if not llama.llama_supports_gpu_offload():
        return []
    found = []
    for index in range(ggml.ggml_backend_dev_count()):
        device = ggml.ggml_backend_dev_get(index)
        if ggml_base.ggml_backend_dev_type(device) in _GPU_TYPES:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            ggml_base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
            found.append(Gpu(ggml_base.ggml_backend_dev_name(device).decode(), free.value))
    return found


def place(options: LoadOptions, gpus: list[Gpu], needed_bytes: int, layers: int) -> Placement:
    """Decide how much goes to the GPUs.

    Args:
        options: what is wanted.
        gpus: from `list_gpus`.
        needed_bytes: files and the KV cache of the smallest context.
        layers: repeating layers of the model.

    Raises:
        BackendUnavailable: a GPU is wanted and there is none.
    """
    if options.device == "cuda" and not gpus:
        raise BackendUnavailable(backend="llama.cpp", reason="this installation of it uses no GPU")
    if options.device == "cpu" or not gpus:
        return Placement(0, False, "cpu")
    gpu_layers = options.gpu_layers
    if gpu_layers is None:
        free = sum(max(0, gpu.free_bytes - DEVICE_MARGIN_BYTES) for gpu in gpus)
        gpu_layers = _ALL_LAYERS if free >= needed_bytes else int(layers * free / needed_bytes)
    vision_on_gpu = gpu_layers != 0 if options.projector_on_gpu is None else options.projector_on_gpu
    return Placement(gpu_layers, vision_on_gpu, _device_words(_device_name(gpus[0].name), gpu_layers, layers))


def _device_words(name: str, gpu_layers: int, layers: int) -> str:
    if not gpu_layers:
        return "cpu"
    return f"{name} + cpu" if 0 < gpu_layers < layers else name


def thread_count() -> int:
    """Physical cores that this process may use, or fewer where `OMP_NUM_THREADS` says so."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(psutil.cpu_count(logical=False) or allowed, allowed)
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(wanted)) if wanted.isdecimal() and int(wanted) else cores


def _device_name(name: str) -> str:
    """`CUDA0` as torch writes it, others in small letters."""
    lowered = name.lower()
    return f"cuda:{lowered.removeprefix('cuda')}" if lowered.startswith("cuda") else lowered
