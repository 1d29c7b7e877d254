"""The machine's own memory."""

from __future__ import annotations

import psutil

from desktopapp.engine.memory.probe.device import SYSTEM_MEMORY
from desktopapp.engine.price_events import MemorySample


class SystemProbe:
    """The machine's own memory, for answers that run on the processor."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def sample(self) -> MemorySample:
        """What is used now.

        Mapped files of this process count as used: they hold a GGUF's weights, and the system, which calls
        them available, could only drop them to read them from the disk again for the next token.
        """
        memory = psutil.virtual_memory()
        own = self._process.memory_info()
        mapped_bytes = getattr(own, "shared", 0)  # Linux tells; elsewhere they are in use by every count
        used_bytes = min(memory.total, memory.total - memory.available + mapped_bytes)
        return MemorySample(SYSTEM_MEMORY, False, used_bytes, memory.total, min(own.rss, used_bytes))

    def close(self) -> None:
        """Nothing is held."""
