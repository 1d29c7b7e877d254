"""`python -m tests.gpu.matrix`: plan every cell, then run it under its ceiling; a table last.

Each model is loaded once for each type of its weights, under the smallest ceiling that asks for it, and its cells run
from the smallest to the largest. Outcomes are saved as they come. The exit code is 1 where a cell ran out of memory,
went over its ceiling, or was refused without having been named in advance.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

# As the backend sets it, which here comes too late.
os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")

import torch

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.memory.calibration import UNCALIBRATED, Corrections
from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from tests.gpu.matrix_cells import (
    CEILINGS_GIB,
    GIB,
    MAY_BE_REFUSED,
    SIZES,
    WORKLOADS,
    Ceiling,
    Cell,
    Outcome,
    cells,
    not_run,
    run_cell,
)
from tests.gpu.memory_rows import DeviceMemory, candidate
from tests.gpu.true_shape import true_shape_folder

MIB = 2**20


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.matrix", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "true-shapes")
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--ceilings", nargs="+", type=int, default=CEILINGS_GIB)
    parser.add_argument("--workloads", nargs="+", default=tuple(WORKLOADS))
    parser.add_argument("--shard", default="0/1", help="which part of how many, as 0/2")
    parser.add_argument("--seconds", type=float, default=230.0)
    parser.add_argument("--overhead-mib", type=int, help="instead of the built-in constant")
    options = parser.parse_args()
    shard, shards = (int(part) for part in options.shard.split("/"))
    wanted = [
        cell
        for cell in cells(tuple(options.ceilings))
        if cell.size in options.sizes and cell.workload in options.workloads
    ]
    learnt = UNCALIBRATED if options.overhead_mib is None else Corrections(options.overhead_mib * MIB)
    out = Path(os.environ.get("JOB_OUT", "build"))
    out.mkdir(parents=True, exist_ok=True)
    matrix = Matrix(DeviceMemory.open(), options.models, learnt, out / f"matrix-{shard}.json")
    return matrix.run(wanted[shard::shards], options.seconds)


class Matrix:
    """Runs cells.

    Args:
        device: opened before CUDA was used.
        models: folder for the models that are made.
        learnt: constants of the formulas.
        file: for outcomes.
    """

    def __init__(self, device: DeviceMemory, models: Path, learnt: Corrections, file: Path) -> None:
        torch.cuda.init()
        self._ceiling = Ceiling(device)
        self._models, self._learnt, self._file = models, learnt, file
        self._files: dict[str, ModelFiles] = {}
        self._outcomes: list[Outcome] = []

    def run(self, wanted: list[Cell], seconds: float) -> int:
        """Plan and run cells within some seconds; returns 1 where a bar is missed."""
        ends = time.monotonic() + seconds
        plans: dict[Cell, Plan] = {}
        for cell in wanted:
            if cell.size not in self._files:
                self._files[cell.size] = true_shape_folder(cell.size, self._models)
            plans[cell] = cell.plan(candidate(self._files[cell.size], cell.size, self._learnt))
            if not plans[cell].fits:
                self._add(not_run(cell, plans[cell], "refused"))
        print(f"planned with {ends - time.monotonic():.0f} s left", flush=True)
        fitting = {cell: plan for cell, plan in plans.items() if plan.fits}
        for key in sorted({_load_key(cell, plan) for cell, plan in fitting.items()}):
            group = {cell: plan for cell, plan in fitting.items() if _load_key(cell, plan) == key}
            self._run_group(*key, group, ends)
        return self._report()

    def _run_group(self, size: str, weight_type: str, group: dict[Cell, Plan], ends: float) -> None:
        """Cells that share a load."""
        least_gib = min(cell.ceiling_gib for cell in group)
        self._ceiling.set(least_gib)
        backend, began = TransformersBackend(), time.monotonic()
        options = LoadOptions(context_tokens=262_144, device="cuda", weight_type=weight_type)
        backend.load(self._files[size], options, StepClock(), lambda stage, fraction: None)
        told = {
            "allocated": torch.cuda.memory_allocated() // MIB,
            "reserved": torch.cuda.memory_reserved() // MIB,
            "most reserved": torch.cuda.max_memory_reserved() // MIB,
            "beside": self._ceiling.beside_bytes // MIB,
        }
        print(f"{size} {weight_type} under {least_gib} GiB in {time.monotonic() - began:.1f} s, MiB: {told}")
        for cell in sorted(group, key=lambda cell: (cell.ceiling_gib, list(WORKLOADS).index(cell.workload))):
            if time.monotonic() > ends:
                self._add(not_run(cell, group[cell], "not run"))
            else:
                self._add(run_cell(backend, cell, group[cell], self._ceiling))
        backend.unload()
        torch.cuda.set_per_process_memory_fraction(1.0)

    def _add(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        print(outcome.line(), flush=True)
        self._file.write_text(json.dumps([asdict(one) for one in self._outcomes], indent=1))

    def _report(self) -> int:
        print("cell | outcome | chosen | planned GiB | allocated | device | s")
        for outcome in sorted(self._outcomes, key=lambda one: one.cell):
            print(outcome.line())
        complete = [one for one in self._outcomes if one.outcome == "complete"]
        over = [one for one in complete if one.device_bytes > one.ceiling_gib * GIB]
        failed = [one for one in self._outcomes if one.outcome == "out of memory"]
        refused = [
            one for one in self._outcomes if one.outcome == "refused" and one.key not in MAY_BE_REFUSED
        ]
        print(
            f"{len(complete)} of {len(self._outcomes)} complete, {sum(one.is_default for one in complete)} of them at "
            f"default pixels in one piece; {len(failed)} out of memory, {len(over)} over the ceiling, "
            f"{len(refused)} refused without being named"
        )
        return 1 if failed or over or refused else 0


def _load_key(cell: Cell, plan: Plan) -> tuple[str, str]:
    return cell.size, plan.setup.candidate.weight_type


if __name__ == "__main__":
    sys.exit(main())
