"""What a finished run teaches about the constants of the formulas."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.memory.calibration import Measurement
from desktopapp.engine.memory.costs import Costs, RunShape, estimate
from desktopapp.engine.memory.workload import Workload

# Smaller than this, an allocator's rounding would be taken for a factor.
_TELLING_BYTES = 64 << 20
# cuBLAS on an H200: 32 MiB for each of two streams, and what rounding adds.
_LIBRARY_BYTES = 70 << 20


@dataclass(frozen=True, slots=True)
class Observation:
    """Bytes of one run.

    Args:
        allocated_bytes: by tensors at most, the weights included.
        device_bytes: used by this process, as the driver counts; 0 where it does not tell.
    """

    allocated_bytes: int
    device_bytes: int


def learn(costs: Costs, workload: Workload, run: RunShape, seen: Observation) -> Measurement:
    """Compare a run with what the formulas count without any correction.

    Args:
        costs: uncorrected.
        workload: of the run.
        run: how it ran.
        seen: what was measured.
    """
    counted = estimate(costs, workload, run)
    expected = counted.peak_bytes - costs.overhead_bytes
    # Of a surplus, the libraries' own work space is no factor.
    surplus = min(max(0, seen.allocated_bytes - expected), _LIBRARY_BYTES)
    missed = seen.allocated_bytes - surplus - expected
    vision = activation = None
    phases = counted.phases
    picture = costs.picture_bytes(workload.largest_picture.patches)
    if workload.pictures and phases.vision > max(phases.prefill, phases.decode) and picture > _TELLING_BYTES:
        vision = 1 + missed / picture
    work = counted.parts.workspace
    if not workload.pictures and phases.prefill >= phases.decode and work > _TELLING_BYTES:
        activation = 1 + missed / work
    # What a factor already tells is not told once more by the overhead.
    told = expected if vision is activation is None else expected + missed
    overhead = seen.device_bytes - told if seen.device_bytes else None
    return Measurement(overhead, vision, activation)
