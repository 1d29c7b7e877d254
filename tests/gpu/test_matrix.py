"""Forty cells: five workloads on cards of 24, 16, 12 and 10 GiB with the 2B and the 4B shape; ten more on 8 GiB.

A card is made small by torch's limit for a process, less what CUDA takes beside, so that the driver's own count stays
under the ceiling. `python -m tests.gpu.matrix --shard 0/2` runs a half of it alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.gpu.matrix_cells import CEILINGS_GIB, GIB, MAY_BE_REFUSED, MUST_FIT_8_GIB, SMALL_CARD_GIB

ROOT = Path(__file__).resolve().parents[2]
LEAST_COMPLETE, LEAST_DEFAULT = 34, 30

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
    pytest.mark.timeout(1800),
]


def run_matrix(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """In a process of its own: what CUDA took before it is then this process's, not another test's."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.gpu.matrix", "--models", str(folder), "--seconds", "800", *arguments],
        cwd=ROOT,
        env=os.environ | {"JOB_OUT": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stdout[-12_000:])
    assert run.returncode == 0, run.stderr[-2000:]
    outcomes: list[dict[str, Any]] = json.loads((folder / "matrix-0.json").read_text())
    return outcomes


def test_the_matrix(tmp_path: Path) -> None:
    outcomes = run_matrix(tmp_path, "--ceilings", *map(str, CEILINGS_GIB))
    assert len(outcomes) == 40
    complete = [one for one in outcomes if one["outcome"] == "complete"]
    assert all(one["device_bytes"] <= one["ceiling_gib"] * GIB for one in complete)
    refused = {(one["size"], one["workload"], one["ceiling_gib"]) for one in outcomes if one not in complete}
    assert refused <= MAY_BE_REFUSED
    assert len(complete) >= LEAST_COMPLETE
    assert sum(one["is_default"] for one in complete) >= LEAST_DEFAULT


def test_a_card_of_8_gib(tmp_path: Path) -> None:
    outcomes = run_matrix(tmp_path, "--ceilings", str(SMALL_CARD_GIB))
    complete = {(one["size"], one["workload"]) for one in outcomes if one["outcome"] == "complete"}
    assert complete >= MUST_FIT_8_GIB
