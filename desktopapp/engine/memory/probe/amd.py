"""One AMD GPU on Linux, through the kernel's files.

Sources: `Documentation/gpu/amdgpu/driver-misc.rst` of the Linux kernel (`mem_info_vram_*`, `mem_info_gtt_*`,
`product_name`), and `drivers/gpu/drm/amd/amdkfd/kfd_process.c`, which makes `vram_<gpu id>` for each process
that computes.
"""

from __future__ import annotations

import os
from pathlib import Path

from desktopapp.engine.memory.probe.device import GpuAbsent
from desktopapp.engine.price_events import MemorySample

_AMD_VENDOR = "0x1002"
_VISIBLE = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")


class AmdProbe:
    """One AMD GPU: the first that ROCm may use.

    System memory that the GPU addresses (GTT) is told as shared memory: of all programs, since the kernel does
    not say whose it is.

    Args:
        root: where `/sys` is.

    Raises:
        GpuAbsent: there is none.
    """

    def __init__(self, root: Path = Path("/sys")) -> None:
        cards = sorted(
            {device.resolve() for device in root.glob("class/drm/card*/device") if _is_amd(device)},
            key=lambda device: device.name,  # the address on the bus, which is ROCm's order
        )
        number = _first_visible()
        if number >= len(cards):
            raise GpuAbsent
        self._device = cards[number]
        self._processes = root / "class/kfd/kfd/proc"
        self._name = _read_text(self._device / "product_name") or "AMD GPU"

    def sample(self) -> MemorySample:
        """See `MemoryProbe.sample`."""
        used_bytes = self._read("mem_info_vram_used")
        return MemorySample(
            self._name,
            True,
            used_bytes,
            self._read("mem_info_vram_total"),
            min(self._own_bytes(), used_bytes),
            shared_bytes=self._read("mem_info_gtt_used"),
        )

    def close(self) -> None:
        """Nothing is held."""

    def _own_bytes(self) -> int:
        folder = self._processes / str(os.getpid())
        try:
            return sum(int(_read_text(file) or 0) for file in folder.glob("vram_*"))
        except (OSError, ValueError):
            return 0

    def _read(self, name: str) -> int:
        try:
            return int((self._device / name).read_text())
        except (OSError, ValueError) as error:
            raise GpuAbsent from error


def _is_amd(device: Path) -> bool:
    return _read_text(device / "vendor") == _AMD_VENDOR and (device / "mem_info_vram_total").exists()


def _first_visible() -> int:
    for name in _VISIBLE:
        first = os.environ.get(name)
        if first is not None:
            first = first.split(",")[0].strip()
            if not first.isdecimal():
                raise GpuAbsent
            return int(first)
    return 0


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
