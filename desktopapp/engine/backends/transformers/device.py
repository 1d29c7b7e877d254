"""Where a model runs and in which number format."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch

from desktopapp.errors import BackendUnavailable

_FLOAT_TYPES = {"BF16": torch.bfloat16, "F32": torch.float32, "F16": torch.float16}
_TYPE_NAMES = {value: name for name, value in _FLOAT_TYPES.items()}
# What the rest of the system and the computation itself need beside the weights.
_RAM_RESERVE_BYTES = 2 * 1024**3
_FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True)
class Placement:
    """Device and format of a model's weights."""

    device: torch.device
    dtype: torch.dtype

    @property
    def precision(self) -> str:
        """`BF16`, `F32`, `F16`."""
        return _TYPE_NAMES[self.dtype]

    @property
    def is_cuda(self) -> bool:
        """Whether it is a GPU."""
        return self.device.type == "cuda"


def place(requested: str, stored: str, parameters: int) -> Placement:
    """Choose device and format.

    Args:
        requested: `auto`, `cpu` or `cuda`.
        stored: type of the stored weights, as `BF16`.
        parameters: number of weights.

    Raises:
        BackendUnavailable: `cuda` was asked for and there is none, or the stored type is unknown.
    """
    as_stored = stored_type(stored)
    if requested != "cpu" and torch.cuda.is_available():
        return Placement(torch.device("cuda", torch.cuda.current_device()), _gpu_type(as_stored))
    if requested == "cuda":
        raise BackendUnavailable(backend="transformers", reason="PyTorch finds no CUDA graphics card")
    return Placement(torch.device("cpu"), _cpu_type(as_stored, parameters))


def stored_type(name: str) -> torch.dtype:
    """The type of a name in a weight file's header, as `BF16`.

    Raises:
        BackendUnavailable: it is none that models compute in.
    """
    found = _FLOAT_TYPES.get(name)
    if found is None:
        raise BackendUnavailable(backend="transformers", reason=f"its weights are stored as {name}")
    return found


def _gpu_type(stored: torch.dtype) -> torch.dtype:
    """As stored; bfloat16 becomes float16 on cards before Ampere, which only emulate it."""
    if stored is torch.bfloat16 and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return stored


def _cpu_type(stored: torch.dtype, parameters: int) -> torch.dtype:
    """As stored where the processor computes in bfloat16; else float32 if that fits, which is faster."""
    if stored is torch.float32:
        return torch.float32
    if stored is torch.bfloat16 and has_fast_bfloat16():
        return torch.bfloat16
    fits = parameters * _FLOAT32_BYTES + _RAM_RESERVE_BYTES < psutil.virtual_memory().available
    return torch.float32 if fits else torch.bfloat16


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices by instructions of its own."""
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("amx_bf16", "avx512_bf16", "sve_bf16", "bf16"))
