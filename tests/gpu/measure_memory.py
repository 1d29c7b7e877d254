"""`python -m tests.gpu.measure_memory SIZE`: predictions first, then runs, then both side by side.

Predictions are written down before anything runs: with the built-in constants, and, after the three smallest runs,
with what these taught. The table is printed last; the exit code is 1 where a row misses its bar.
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
from typing import Any

from tests.gpu.memory_rows import DeviceMemory

GIB, MIB = 2**30, 2**20
CALIBRATED_BAR, UNCALIBRATED_BAR, FLOOR_BYTES = 0.03, 0.08, 150 * MIB
_CALIBRATION_RUNS = 3


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.measure_memory", description=__doc__)
    parser.add_argument("size", choices=("2B", "4B"))
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "true-shapes")
    parser.add_argument("--seconds", type=float, default=80.0, help="for all runs together")
    parser.add_argument("--most-tokens", type=int, default=1 << 30)
    parser.add_argument(
        "--blocks", action="store_true", help="show what is allocated in blocks of which size"
    )
    options = parser.parse_args()
    out = Path(os.environ.get("JOB_OUT", "build"))
    out.mkdir(parents=True, exist_ok=True)
    device = DeviceMemory.open()
    rows_measured = _run(options, device, out / f"memory-{options.size}.json")
    return _report(rows_measured)


def _run(options: argparse.Namespace, device: DeviceMemory, file: Path) -> list[dict[str, Any]]:
    from desktopapp.engine.backend import LoadOptions
    from desktopapp.engine.backends.transformers import TransformersBackend
    from desktopapp.engine.memory.calibration import Calibration
    from desktopapp.engine.memory.learning import learn
    from desktopapp.engine.steps import StepClock
    from tests.gpu.memory_rows import candidate, measure, predict, rows
    from tests.gpu.true_shape import true_shape_folder

    began = time.monotonic()
    files = true_shape_folder(options.size, options.models)
    print(f"weights are there after {time.monotonic() - began:.1f} s", flush=True)
    plain = candidate(files, options.size)
    todo = rows(options.size, most_tokens=options.most_tokens)
    predicted = [predict(row, plain) for row in todo]
    records: list[dict[str, Any]] = [
        {"row": str(row), "predicted": _estimate(one)} for row, one in zip(todo, predicted, strict=True)
    ]
    _save(file, records)
    backend = TransformersBackend()
    context = LoadOptions(context_tokens=262_144, device="cuda")
    backend.load(files, context, StepClock(), lambda stage, fraction: None)
    print(_allocator_settings(), flush=True)
    print(f"loaded after {time.monotonic() - began:.1f} s, {backend.memory_parts()}", flush=True)
    if options.blocks:
        _show_blocks("loaded")
    calibration = Calibration(options.models / f"calibration-{options.size}-{os.getpid()}.json")
    name = plain.device.name
    for place in range(_CALIBRATION_RUNS):
        measured = measure(backend, todo[place], device, limit_s=20.0)
        if options.blocks:
            _show_blocks(str(todo[place]))
        calibration.add(
            options.size,
            plain.backend,
            name,
            learn(plain.costs_here(), todo[place].workload, todo[place].run, _observed(measured)),
        )
    corrected = candidate(files, options.size, calibration.corrections(options.size, plain.backend, name))
    print(f"calibrated: {corrected.corrections}", flush=True)
    for record, row in zip(records, todo, strict=True):
        record["calibrated"] = _estimate(predict(row, corrected))
    _save(file, records)
    started = time.monotonic()
    for record, row in zip(records, todo, strict=True):
        if row.workload.prompt_tokens < options.least_tokens:
            continue
        left = options.seconds - (time.monotonic() - started)
        if left < 2:
            break
        measured = measure(backend, row, device, limit_s=min(left, 45.0))
        record["measured"] = asdict(measured)
        print(row, {k: round(v / GIB, 3) for k, v in asdict(measured).items() if v > 1000}, flush=True)
        _save(file, records)
    backend.unload()
    return records


def _allocator_settings() -> object:
    import torch

    return torch.cuda.memory._snapshot().get("allocator_settings")


def _show_blocks(when: str) -> None:
    from tests.gpu.memory_rows import live_blocks

    print(when, {f"{size / MIB:.1f} MiB": count for size, count in live_blocks().items()}, flush=True)


def _observed(measured: Any) -> Any:
    from desktopapp.engine.memory.learning import Observation

    return Observation(allocated_bytes=measured.allocated, device_bytes=measured.device)


def _estimate(estimate: Any) -> dict[str, Any]:
    return {**asdict(estimate), "peak": estimate.peak_bytes}


def _save(file: Path, records: list[dict[str, Any]]) -> None:
    file.write_text(json.dumps(records, indent=1))


def _report(records: list[dict[str, Any]]) -> int:
    print(
        "combination | built-in GiB | calibrated GiB | measured GiB | built-in off | calibrated off | phases alloc"
    )
    missed = 0
    for record in records:
        measured = record.get("measured")
        if measured is None:
            print(record["row"], "| not run: no time left")
            continue
        truth = measured["device"]
        built_in, calibrated = record["predicted"]["peak"] - truth, record["calibrated"]["peak"] - truth
        bad = abs(calibrated) > max(CALIBRATED_BAR * truth, FLOOR_BYTES)
        bad = bad or abs(built_in) > max(UNCALIBRATED_BAR * truth, FLOOR_BYTES)
        missed += bad
        phases = "/".join(f"{measured[name] / GIB:.2f}" for name in ("vision", "prefill", "decode"))
        note = "" if measured["complete"] else " (stopped)"
        print(
            f"{record['row']} | {record['predicted']['peak'] / GIB:6.2f} | "
            f"{record['calibrated']['peak'] / GIB:6.2f} | {truth / GIB:6.2f} | {built_in / truth:+.1%} | "
            f"{calibrated / truth:+.1%} | {phases}{note}{' MISSED' if bad else ''}"
        )
    print(f"{missed} of {len(records)} rows missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
