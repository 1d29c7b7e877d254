"""What all probes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from desktopapp.engine.events import SYSTEM_MEMORY
from desktopapp.engine.price_events import MemorySample

__all__ = ["SYSTEM_MEMORY", "GpuAbsent", "GpuFacts", "MemoryProbe"]


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """The GPU that answers would run on.

    Args:
        name: as `NVIDIA GeForce RTX 4070`.
        total_bytes: of its memory.
        free_bytes: of these, free now.
        driver: version of its driver.
        capability: CUDA's compute capability, as (8, 9); None where it is not known.
    """

    name: str
    total_bytes: int
    free_bytes: int
    driver: str
    capability: tuple[int, int] | None = None


class MemoryProbe(Protocol):
    """Reads memory when it is asked to. Used from one thread."""

    def sample(self) -> MemorySample:
        """What is used now, without the parts, which only a backend knows.

        Raises:
            GpuAbsent: the driver went away, as during its update.
        """
        ...

    def close(self) -> None:
        """Give the library back."""
        ...


class GpuAbsent(Exception):
    """There is no GPU that can be asked; normal on many machines."""
