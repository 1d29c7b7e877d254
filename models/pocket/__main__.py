"""`python -m models.pocket`: makes the pair from nothing, on one GPU; what is done already is not done again."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from desktopapp.modelstore.model import ModelKind
from models.pocket.export import export_model
from models.pocket.fonts import fetch


@dataclass(frozen=True, slots=True)
class _Run:
    """A stage with its options, and the stage that it goes on from."""

    stage: str
    start: str | None
    steps: int
    options: tuple[str, ...]


_RUNS = (
    _Run("tower", None, 963, ("--rate", "0.01")),
    _Run("base", "tower", 5900, ("--rate", "0.01", "--end-rate", "0.004", "--decay-share", "0.3")),
    _Run("instruct", "base", 770, ("--rate", "0.004", "--end-rate", "0")),
    _Run("thinking", "base", 770, ("--rate", "0.004", "--end-rate", "0")),
)


def main() -> None:
    """Fetch, train all stages, export."""
    parser = argparse.ArgumentParser(prog="python -m models.pocket", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/pocket"), help="takes fonts and checkpoints")
    parser.add_argument("--out", type=Path, default=Path("build/pocket/models"), help="takes the two folders")
    options = parser.parse_args()
    work: Path = options.work
    fetch(work / "fonts")
    for run in _RUNS:
        if not _is_done(work / run.stage, run.steps):
            _train(run, work)
    for kind in ModelKind:
        export_model(work / kind.value, options.out / f"qwen3-vl-pocket-{kind.value}", kind)


def _is_done(checkpoint: Path, steps: int) -> bool:
    file = checkpoint / "state.json"
    return file.exists() and int(json.loads(file.read_text(encoding="utf-8"))["step"]) >= steps


def _train(run: _Run, work: Path) -> None:
    """Run a stage in a process of its own: its GPU memory is given back."""
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
    if run.start is not None:
        command += ["--start", str(work / run.start)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
