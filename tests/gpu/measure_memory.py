"""`PYTORCH_ALLOC_CONF=expandable_segments:True python -m tests.gpu.measure_memory SIZE`: planned against measured.

The setting is the engine's own, which is too late here: torch is imported before the engine. Predictions are written
down before anything runs: with the built-in constants, and, after three small runs of other requests, with what these
taught. No row that is judged teaches anything. The table is printed last; the exit code is 1 where a row misses its bar.
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
from typing import TYPE_CHECKING, Any

from tests.gpu.memory_rows import DeviceMemory

if TYPE_CHECKING:
    from desktopapp.engine.backend import Backend
    from desktopapp.engine.memory.candidate import Candidate
    from tests.gpu.memory_rows import Measured, Row

GIB, MIB = 2**30, 2**20
CALIBRATED_BAR, UNCALIBRATED_BAR, FLOOR_BYTES = 0.03, 0.08, 150 * MIB
_UNUSED_BAR_BYTES = 256 * MIB
_HEAD = (
    "combination | built-in GiB | calibrated GiB | measured GiB | built-in off | calibrated off | "
    "allocated: vision/prefill/decode, counted | reserved | s"
)


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.measure_memory", description=__doc__)
    parser.add_argument("size", choices=("2B", "4B"))
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "true-shapes")
    parser.add_argument("--seconds", type=float, default=80.0, help="for all runs together")
    parser.add_argument("--least-tokens", type=int, default=0)
    parser.add_argument("--most-tokens", type=int, default=1 << 30)
    options = parser.parse_args()
    out = Path(os.environ.get("JOB_OUT", "build"))
    out.mkdir(parents=True, exist_ok=True)
    device = DeviceMemory.open()
    records = _run(options, device, out / f"memory-{options.size}-{options.least_tokens}.json")
    return _report(records)


def _run(options: argparse.Namespace, device: DeviceMemory, file: Path) -> dict[str, Any]:
    from tests.gpu.memory_rows import candidate, rows
    from tests.gpu.true_shape import true_shape_folder

    began = time.monotonic()
    files = true_shape_folder(options.size, options.models)
    print(f"weights are there after {time.monotonic() - began:.1f} s", flush=True)
    plain = candidate(files, options.size)
    todo = rows(options.size, least_tokens=options.least_tokens, most_tokens=options.most_tokens)
    records: dict[str, Any] = {"rows": _predictions(todo, plain, "predicted")}
    _save(file, records)
    backend = _load(plain, device, records)
    print(f"loaded after {time.monotonic() - began:.1f} s: {records['loaded']}", flush=True)
    corrected = _teach(backend, plain, device, file.with_suffix(".calibration"))
    print(f"calibrated: {corrected.corrections}", flush=True)
    for record, prediction in zip(records["rows"], _predictions(todo, corrected, "calibrated"), strict=True):
        record |= prediction
    _save(file, records)
    _measure_all(options.seconds, backend, todo, device, records, file)
    backend.unload()
    return records


def _predictions(todo: list[Row], model: Candidate, name: str) -> list[dict[str, Any]]:
    from tests.gpu.memory_rows import predict

    estimates = [predict(row, model) for row in todo]
    return [
        {"row": str(row), name: {**asdict(one), "peak": one.peak_bytes}}
        for row, one in zip(todo, estimates, strict=True)
    ]


def _load(plain: Candidate, device: DeviceMemory, records: dict[str, Any]) -> Backend:
    import torch

    from desktopapp.engine.backend import LoadOptions
    from desktopapp.engine.backends.transformers import TransformersBackend
    from desktopapp.engine.steps import StepClock

    torch.zeros(1, device="cuda")
    records["context"] = device.used_bytes()
    backend = TransformersBackend()
    options = LoadOptions(context_tokens=262_144, device="cuda")
    if plain.files is None:
        raise RuntimeError("a model without files cannot be loaded")
    backend.load(plain.files, options, StepClock(), lambda stage, fraction: None)
    records["loaded"] = asdict(backend.memory_parts()) | {
        "reserved": torch.cuda.memory_reserved(),
        "device": device.used_bytes(),
        "context": records["context"],
    }
    return backend


def _teach(backend: Backend, plain: Candidate, device: DeviceMemory, file: Path) -> Candidate:
    from desktopapp.engine.memory.calibration import Calibration
    from desktopapp.engine.memory.learning import Observation, learn
    from tests.gpu.memory_rows import candidate, measure, teaching_rows

    if plain.files is None:
        raise RuntimeError("a model without files cannot teach")
    file.unlink(missing_ok=True)
    calibration, name = Calibration(file), plain.device.name
    for row in teaching_rows(plain.model):
        measured = measure(backend, row, device, limit_s=30.0)
        seen = Observation(measured.allocated, measured.device)
        taught = learn(plain.costs_here(), row.workload, row.run, seen)
        print(row, _figures(measured), taught, flush=True)
        calibration.add(plain.model, plain.backend, name, taught)
    corrections = calibration.corrections(plain.model, plain.backend, name)
    return candidate(plain.files, plain.model, corrections)


def _measure_all(
    seconds: float,
    backend: Backend,
    todo: list[Row],
    device: DeviceMemory,
    records: dict[str, Any],
    file: Path,
) -> None:
    from desktopapp.errors import AppError
    from tests.gpu.memory_rows import measure

    began = time.monotonic()
    for record, row in zip(records["rows"], todo, strict=True):
        left = seconds - (time.monotonic() - began)
        if left < 2:
            break
        try:
            measured = measure(backend, row, device, limit_s=left)
        except AppError as error:
            print(row, repr(error), flush=True)
            continue
        record["measured"] = asdict(measured)
        print(row, _figures(measured), flush=True)
        _save(file, records)


def _figures(measured: Measured) -> dict[str, float]:
    return {name: round(value / GIB, 3) for name, value in asdict(measured).items() if value > 1000}


def _save(file: Path, records: dict[str, Any]) -> None:
    file.write_text(json.dumps(records, indent=1))


def _report(records: dict[str, Any]) -> int:
    print(_HEAD)
    missed = 0
    for record in records["rows"]:
        if "measured" not in record:
            print(record["row"], "| not run: it failed, or no time was left")
            missed += 1
            continue
        line, is_bad = _judge(record)
        missed += is_bad
        print(line)
    unused = records["loaded"]["unused_bytes"]
    print(
        f"{missed} of {len(records['rows'])} rows missed; {unused / MIB:.0f} MiB held unused after the load"
    )
    return 1 if missed or unused > _UNUSED_BAR_BYTES else 0


def _judge(record: dict[str, Any]) -> tuple[str, bool]:
    measured, truth = record["measured"], record["measured"]["device"]
    built_in, calibrated = record["predicted"]["peak"] - truth, record["calibrated"]["peak"] - truth
    is_bad = abs(calibrated) > max(CALIBRATED_BAR * truth, FLOOR_BYTES)
    is_bad = is_bad or abs(built_in) > max(UNCALIBRATED_BAR * truth, FLOOR_BYTES)
    counted = record["predicted"]
    phases = " ".join(
        f"{measured[name] / GIB:.3f}-{(counted['phases'][name] - counted['parts']['overhead']) / GIB:.3f}"
        for name in ("vision", "prefill", "decode")
        if measured[name]
    )
    note = "" if measured["complete"] else " (stopped)"
    line = (
        f"{record['row']} | {counted['peak'] / GIB:6.2f} | {record['calibrated']['peak'] / GIB:6.2f} | "
        f"{truth / GIB:6.2f} | {built_in / truth:+.1%} | {calibrated / truth:+.1%} ({calibrated / MIB:+.0f} MiB) | "
        f"{phases}{note} | {measured['reserved'] / GIB:.3f} | {measured['seconds']:.1f}"
        f"{' MISSED' if is_bad else ''}"
    )
    return line, is_bad


if __name__ == "__main__":
    sys.exit(main())
