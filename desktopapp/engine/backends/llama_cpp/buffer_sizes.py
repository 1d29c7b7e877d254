"""Sizes of buffers, read off what llama.cpp and mtmd log: no function of theirs tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# "load_tensors:  CPU_Mapped model buffer size =   604.15 MiB", and likewise "KV", "compute" and "output".
_BUFFER = re.compile(
    r"(?P<speaker>[\w:~]+): +(?P<buffer>\S+) +(?P<use>model|KV|compute|output) buffer size = +(?P<mib>[\d.]+) MiB"
)
# Of mtmd the weights come as one number, "load_hparams: model size:  811.47 MiB", after the name of their device.
_VISION_DEVICE = re.compile(r"[\w:~]+: CLIP using (?P<buffer>\S+) backend")
_VISION_SIZE = re.compile(r"[\w:~]+: model size: +(?P<mib>[\d.]+) MiB")
_VISION_COMPUTE_SPEAKER = "reserve_compute_meta"
_USES = {"model": "weights", "KV": "kv_cache", "compute": "compute", "output": "compute"}


@dataclass(frozen=True, slots=True)
class BufferSize:
    """One line.

    Args:
        use: `weights`, `vision` (the vision tower's weights), `kv_cache`, `compute` (the language model's graph),
            `vision_compute`.
        buffer: ggml's name of the kind of memory, as `CPU_Mapped`, `CUDA0`.
        size_bytes: to a hundredth of a MiB.
        is_reserved: a graph's buffer, of which there is one at a time; else several of a kind add up.
    """

    use: str
    buffer: str
    size_bytes: int
    is_reserved: bool = False

    @property
    def on_gpu(self) -> bool:
        """Whether it lies in a GPU's own memory, not in memory of the system's that a GPU can read."""
        return not (self.buffer.startswith(("CPU", "AMX", "BLAS")) or self.buffer.endswith("_Host"))

    def replaces(self, other: BufferSize) -> bool:
        """Whether it is the same buffer at another size."""
        return self.is_reserved and other.is_reserved and (self.use, self.buffer) == (other.use, other.buffer)


def read_buffer_sizes(lines: Iterable[str]) -> tuple[BufferSize, ...]:
    """The sizes that lines of the log tell; of a buffer that was reserved again, the last one."""
    sizes: list[BufferSize] = []
    vision_device = "CPU"
    for line in lines:
        if device := _VISION_DEVICE.match(line):
            vision_device = device["buffer"]
        elif vision := _VISION_SIZE.match(line):
            sizes.append(BufferSize("vision", vision_device, _size_bytes(vision)))
        elif found := _BUFFER.match(line):
            is_vision = found["speaker"] == _VISION_COMPUTE_SPEAKER
            use = "vision_compute" if is_vision else _USES[found["use"]]
            size = BufferSize(use, found["buffer"], _size_bytes(found), found["use"] == "compute")
            sizes = [other for other in sizes if not size.replaces(other)]
            sizes.append(size)
    return tuple(sizes)


def sum_up(sizes: Iterable[BufferSize], *, on_gpu: bool) -> dict[str, int]:
    """Bytes by use, in the memory of GPUs or in that of the system."""
    sums: dict[str, int] = {}
    for size in sizes:
        if size.on_gpu == on_gpu:
            sums[size.use] = sums.get(size.use, 0) + size.size_bytes
    return sums


def is_buffer_line(line: str) -> bool:
    """Whether `read_buffer_sizes` wants to see a line."""
    return any(pattern.match(line) for pattern in (_BUFFER, _VISION_DEVICE, _VISION_SIZE))


def _size_bytes(found: re.Match[str]) -> int:
    return round(float(found["mib"]) * (1 << 20))
