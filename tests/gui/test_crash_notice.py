"""A crash of the window's process is told at the next start, once, whether or not that start can have a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktopapp import paths

ROOT = Path(__file__).resolve().parents[2]
NO_PROCESS = 2**22 + 1
"""Above the largest number that Linux gives a process."""

START = """
import sys
from PySide6.QtCore import QTimer
from desktopapp import app
from tests.gui.scripted_worker import ScriptedWorker

begin = app.Desktop.begin

def begin_and_look(desktop, files):
    begins = begin(desktop, files)
    if begins:
        QTimer.singleShot(0, desktop, lambda: look(desktop.window))
    return begins

def look(window):
    print([notice.remedy for notice in window.notices.notices if notice.topic == "crash"])
    window.close()

app.make_worker, app.Desktop.begin = ScriptedWorker, begin_and_look
sys.exit(app.main([]))
"""


def started(home: Path) -> str:
    """What a start of the program tells of crashes before it."""
    environment = {**os.environ, paths.HOME_VARIABLE: str(home), "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("XDG_RUNTIME_DIR", None)
    code = [sys.executable, "-c", START]
    done = subprocess.run(
        code, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("depth", [0, 3], ids=["socket", "path too long for a socket"])
def test_the_next_start_tells_of_it_once(tmp_path: Path, depth: int) -> None:
    home = tmp_path.joinpath(*["long" * 20] * depth)
    fault = home / "logs" / f"fault-{NO_PROCESS}.txt"
    fault.parent.mkdir(parents=True)
    fault.write_text("Fatal Python error: Segmentation fault\n")
    assert "crash-" in started(home)
    assert not fault.exists()
    assert started(home).strip() == "[]"
