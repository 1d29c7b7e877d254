"""Planned against measured: 30 combinations of the true 2B and 4B shapes with random weights.

Predictions are written down before anything runs; see `measure_memory.py`, which also runs alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
    pytest.mark.timeout(900),
]


@pytest.mark.parametrize("size", ["2B", "4B"])
def test_the_plan_holds(size: str, tmp_path: Path) -> None:
    # In a process of its own: what CUDA took before it is then this process's, not another test's.
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.gpu.measure_memory",
            size,
            "--models",
            str(tmp_path),
            "--seconds",
            "600",
        ],
        cwd=ROOT,
        env={"JOB_OUT": str(tmp_path), "PYTORCH_ALLOC_CONF": "expandable_segments:True"} | os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stdout[-6000:])
    assert run.returncode == 0, run.stderr[-2000:]
