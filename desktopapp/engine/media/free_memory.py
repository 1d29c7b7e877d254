"""Whether there is the memory to decode a file, asked before that begins: afterwards the system would end the engine."""

from __future__ import annotations

import sys

import psutil

from desktopapp.attachment_errors import AttachmentNeedsMemory


def check_free(needed_bytes: int, name: str) -> int:
    """Go on where a file can be decoded; how many bytes are free.

    Args:
        needed_bytes: what that takes at most.
        name: of the file.

    Raises:
        AttachmentNeedsMemory: too little is free. Shown with fewer tokens it would take as much, so no step helps.
    """
    free_bytes = _free_bytes()
    if needed_bytes > free_bytes:
        raise AttachmentNeedsMemory(name=name)
    return free_bytes


def _free_bytes() -> int:
    """Of the machine, or of what the system lets this process have."""
    free_bytes = int(psutil.virtual_memory().available)
    if sys.platform == "linux":
        import resource

        most_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most_bytes != resource.RLIM_INFINITY:
            free_bytes = min(free_bytes, most_bytes - int(psutil.Process().memory_info().vms))
    return free_bytes
