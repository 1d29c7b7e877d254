"""`python -m models.pocket`: makes the pair from nothing, on one GPU; what is done already is not done again."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from desktopapp.modelstore.model import ModelKind
from models.pocket.export import export_model
from models.pocket.fonts import fetch


@dataclass(frozen=True, slots=True)
class _Run:
    """A stage with its options, and the stage or the folder that it goes on from."""

    stage: str
    start: str | Path | None
    steps: int
    options: tuple[str, ...]


_TOWER = _Run("tower", None, 963, ("--rate", "0.01"))
_BASE = _Run("base", "tower", 15000, ("--rate", "0.01", "--end-rate", "0.0025", "--decay-share", "0.5"))
# From a trained model instead of the tower: pictures need not grow, and the rate starts lower.
_FURTHER = ("--rate", "0.006", "--end-rate", "0.0025", "--growth-steps", "1")
_FURTHER_STEPS = 7000
_LAST = tuple(_Run(kind.value, "base", 1500, ("--rate", "0.0025", "--end-rate", "0")) for kind in ModelKind)
# Of a budget, the last stages get this share; the tower takes what it needs.
_LAST_SHARE = 0.27
_EXPORT_S = 10.0
_LEAST_S = 60.0


def main() -> None:
    """Fetch, train all stages, export."""
    parser = argparse.ArgumentParser(prog="python -m models.pocket", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/pocket"), help="takes fonts and checkpoints")
    parser.add_argument("--out", type=Path, default=Path("build/pocket/models"), help="takes the two folders")
    parser.add_argument(
        "--budget-s",
        type=float,
        default=math.inf,
        help="for everything: stages end earlier, their rates fallen",
    )
    parser.add_argument("--start", type=Path, help="folder of a pocket model to go on from, not from nothing")
    parser.add_argument("--side-by-side", action="store_true", help="run the two last stages at once")
    parser.add_argument(
        "--processes", type=int, default=max(2, (os.cpu_count() or 4) - 2), help="that draw pictures"
    )
    options = parser.parse_args()
    end_s = time.monotonic() + options.budget_s
    work: Path = options.work
    fetch(work / "fonts")
    base = _BASE
    if options.start is None:
        _wait([_start(_TOWER, work, math.inf, options.processes)])
    else:
        base = _Run("base", options.start, _FURTHER_STEPS, _FURTHER)
    last_s = _LAST_SHARE * options.budget_s
    _wait([_start(base, work, end_s - time.monotonic() - last_s, options.processes)])
    if options.side_by_side:
        left_s = end_s - time.monotonic() - _EXPORT_S
        _wait([_start(run, work, left_s, options.processes // 2) for run in _LAST])
    else:
        for index, run in enumerate(_LAST):
            left_s = end_s - time.monotonic() - _EXPORT_S
            _wait([_start(run, work, left_s / (len(_LAST) - index), options.processes)])
    for kind in ModelKind:
        export_model(work / kind.value, options.out / f"qwen3-vl-pocket-{kind.value}", kind)


def _start(run: _Run, work: Path, budget_s: float, processes: int) -> subprocess.Popen[bytes] | None:
    """Start a stage in a process of its own, so that its GPU memory is given back; None if it is done."""
    state = work / run.stage / "state.json"
    if state.exists() and json.loads(state.read_text(encoding="utf-8"))["done"]:
        return None
    fonts = work / "fonts"
    command = [
        sys.executable,
        "-m",
        "models.pocket.train",
        run.stage,
        "--steps",
        str(run.steps),
        *run.options,
    ]
    command += ["--checkpoint", str(work / run.stage), "--fonts", str(fonts / "train")]
    command += ["--words", str(fonts / "words.txt"), "--atlas", str(work / "atlas")]
    command += ["--budget-s", str(max(_LEAST_S, budget_s)), "--workers", str(processes)]
    if run.start is not None:
        command += ["--start", str(run.start if isinstance(run.start, Path) else work / run.start)]
    # Pictures of any size: blocks of GPU memory of fixed sizes would hardly ever be used again.
    environment = {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True", **os.environ}
    return subprocess.Popen(command, env=environment)


def _wait(running: list[subprocess.Popen[bytes] | None]) -> None:
    """Wait for stages; the first one that fails ends the program with its status."""
    for process in running:
        if process is not None and process.wait() != 0:
            sys.exit(process.returncode)


if __name__ == "__main__":
    main()
