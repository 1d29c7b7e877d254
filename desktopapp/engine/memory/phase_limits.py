"""What each phase of a request may take: what the device has, and less where a phase ran out of memory before."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.costs import Estimate
from desktopapp.engine.request import MemoryLimits

GPU_MARGIN_BYTES = 128 << 20
"""Of a GPU's limit no plan fills so much: the worst row of docs/memory.md took 93 MiB more than planned."""


@dataclass(frozen=True, slots=True)
class PhaseLimits:
    """Most bytes of each phase, everything in use counted.

    Args:
        load: weights and the runtime's overhead.
        vision: while pictures are read.
        prefill: while the prompt is read.
        decode: while the answer is written.
    """

    load: int
    vision: int
    prefill: int
    decode: int

    def excess_bytes(self, found: Estimate) -> int:
        """By how much the worst phase is over its limit; 0 or less where every phase keeps to its own."""
        phases = found.phases
        return max(
            found.parts.weights + found.parts.overhead - self.load,
            phases.vision - self.vision,
            phases.prefill - self.prefill,
            phases.decode - self.decode,
        )


def device_limit(candidate: Candidate, limits: MemoryLimits) -> int:
    """Bytes of a candidate's device that may be used: what is free, or the ceiling where that is lower."""
    free = candidate.device.free_bytes
    return free if limits.vram_limit_bytes is None else min(free, limits.vram_limit_bytes)


def phase_limits(candidate: Candidate, limits: MemoryLimits) -> PhaseLimits:
    """The limits of a candidate's phases.

    Args:
        candidate: that would run.
        limits: of the person, with what ran out before.
    """
    allowed = device_limit(candidate, limits) - (GPU_MARGIN_BYTES if candidate.device.is_gpu else 0)
    most = dict.fromkeys(("load", "vision", "prefill", "decode"), allowed)
    overhead_bytes = candidate.costs_here().overhead_bytes
    for cap in limits.caps:
        if (cap.backend, cap.device) == (str(candidate.backend), candidate.device.name):
            most[cap.phase] = min(most[cap.phase], cap.below_bytes + overhead_bytes - 1)
    return PhaseLimits(**most)
