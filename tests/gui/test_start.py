"""The window's process stays light: no inference library, no array library, little memory; it ends cleanly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Figures of a window in a process of its own; see `tests/benchmarks/started_window.py`."""
    home = tmp_path_factory.mktemp("home")
    environment = os.environ | {"QWEN3VL_DESKTOP_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment |= {"QT_QPA_PLATFORM": "offscreen"}
    script = ROOT / "tests" / "benchmarks" / "started_window.py"
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, cwd=ROOT, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert "QThread" not in done.stderr
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_heavy_libraries_stay_out_of_the_window_s_process(started: dict[str, object]) -> None:
    assert started["heavy_modules"] == []


def test_memory_stays_small(started: dict[str, object]) -> None:
    # Its own, 52 MB where this was written: how much of the libraries' files is mapped beside, 55 MB, is the system's
    # choice. `bench_start.py` has the sum.
    assert int(str(started["settled_own_bytes"])) < 90_000_000


def test_window_of_the_program_has_its_title(started: dict[str, object]) -> None:
    assert started["title"] == "New conversation - Qwen3-VL Desktop"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a screen")
def test_without_a_screen_one_sentence_says_so(tmp_path: Path) -> None:
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in screens}
    environment["QWEN3VL_DESKTOP_HOME"] = str(tmp_path)
    command = [sys.executable, str(ROOT / "main.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=150)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no screen")
    assert "main.py ask --help" in done.stderr
