"""The kernels compile for a card that is not here: the smallest that many people have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

ROOT = Path(__file__).parents[5]
SCRIPT = ROOT / "tests/benchmarks/bench_kernel_targets.py"


@pytest.mark.parametrize("kv_type", ["int8", "16bit"])
def test_kernels_compile_for_consumer_cards_and_fit_their_shared_memory(kv_type: str) -> None:
    # In a process of its own: in this one Triton only interprets.
    command = [sys.executable, str(SCRIPT), "--cards", "86", "--kv-types", kv_type]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| 86 | {kv_type} |" in done.stdout
