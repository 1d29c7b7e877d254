"""The memory gauge: where every byte went, how it went in the last minutes, and the ceiling."""

from desktopapp.ui.memory.gauge import MemoryGauge

__all__ = ["MemoryGauge"]
