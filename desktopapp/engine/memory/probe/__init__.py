"""How much memory there is and who uses it: by the GPU's driver, or the operating system without one."""

from desktopapp.engine.memory.probe.device import SYSTEM_MEMORY, GpuAbsent, GpuFacts, MemoryProbe
from desktopapp.engine.memory.probe.nvidia import NvmlProbe, read_gpu
from desktopapp.engine.memory.probe.system import SystemProbe
from desktopapp.engine.memory.probe.watch import DeviceWatch, open_gpu_probe, sample_gpu

__all__ = [
    "SYSTEM_MEMORY",
    "DeviceWatch",
    "GpuAbsent",
    "GpuFacts",
    "MemoryProbe",
    "NvmlProbe",
    "SystemProbe",
    "open_gpu_probe",
    "read_gpu",
    "sample_gpu",
]
