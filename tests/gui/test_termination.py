"""A request to end closes the window, saves, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from desktopapp.ui.termination import TerminationWatcher
from tests.leaks import command_of

ROOT = Path(__file__).resolve().parents[2]

ASKED_WHILE_IT_IS_MADE = """
import os, sys
from desktopapp import app
from tests.gui.scripted_worker import ScriptedWorker

class Asked(app.Desktop):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        os.kill(os.getpid(), int(sys.argv[1]))

app.make_worker, app.Desktop = ScriptedWorker, Asked
sys.exit(app.main([]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of other kinds elsewhere")
def test_signal_wakes_a_window_at_rest(qtbot: QtBot) -> None:
    before = signal.getsignal(signal.SIGTERM)
    watcher = TerminationWatcher()
    try:
        with qtbot.waitSignal(watcher.requested):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        watcher.close()
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(os.name != "posix", reason="signals of other kinds elsewhere")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_ends_cleanly_when_asked_to(tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"QWEN3VL_DESKTOP_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    # A shell starts programs in the background with SIGINT ignored; the window hears it all the same.
    program = subprocess.Popen(
        [sys.executable, "main.py"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    engine = wait_for_child(program.pid)
    os.kill(program.pid, number)
    _, complaints = program.communicate(timeout=60)
    assert program.returncode == 0, complaints
    assert "QThread" not in complaints
    assert "Traceback" not in complaints
    psutil.wait_procs([engine], timeout=60)
    assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE
    assert (tmp_path / "conversations.sqlite3").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of other kinds elsewhere")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_before_the_window_is_shown_is_heard(tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"QWEN3VL_DESKTOP_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    code = [sys.executable, "-c", ASKED_WHILE_IT_IS_MADE, str(int(number))]
    done = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def wait_for_child(pid: int) -> psutil.Process:
    """The engine's process, once it runs; the window listens to signals by then."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        found = [child for child in psutil.Process(pid).children() if "spawn_main" in command_of(child)]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("the engine process never started")
