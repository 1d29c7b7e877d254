"""Whether a second model may stay in memory beside the one that answers, so that changing between them is free."""

from __future__ import annotations

import psutil

from desktopapp.engine.memory.probe import GpuFacts

# Of system memory the rest of the desktop needs its part.
_SHARE_OF_SYSTEM = 2


def has_room_beside(needed_bytes: int, gpu: GpuFacts | None, *, on_gpu: bool) -> bool:
    """Whether a model can be loaded without another one giving way.

    Args:
        needed_bytes: at its peak.
        gpu: with what is free now; None without one.
        on_gpu: the model that is loaded lies there.
    """
    if on_gpu:
        return gpu is not None and gpu.free_bytes >= needed_bytes
    return psutil.virtual_memory().available // _SHARE_OF_SYSTEM >= needed_bytes
