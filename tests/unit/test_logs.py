from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktopapp import paths
from desktopapp.logs import LOG_LIMIT_BYTES, LOGS_KEPT, FaultLog, start_log

ROOT = Path(__file__).resolve().parents[2]
CRASH = """
import ctypes, sys
from pathlib import Path
from desktopapp.logs import FaultLog
log = FaultLog(Path(sys.argv[1]))
log.start()
if sys.argv[2] == "crash":
    ctypes.string_at(0)
log.close()
"""


@pytest.fixture
def root_logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    logger = logging.getLogger()
    before = list(logger.handlers)
    yield logger
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()


def run_and_end(folder: Path, how: str) -> None:
    """A process that ends well or not, with a log of faults in a folder."""
    command = [sys.executable, "-c", CRASH, str(folder), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert (done.returncode == 0) is (how == "well"), done.stderr


def test_the_log_rotates_and_old_ones_go(root_logger: logging.Logger) -> None:
    start_log()
    line = "x" * 100_000
    for _ in range((LOGS_KEPT + 3) * LOG_LIMIT_BYTES // len(line)):
        root_logger.warning(line)
    sizes = {file.name: file.stat().st_size for file in paths.logs_dir().iterdir()}
    assert set(sizes) == {"window.log", *(f"window.log.{number + 1}" for number in range(LOGS_KEPT))}
    assert max(sizes.values()) <= LOG_LIMIT_BYTES


def test_without_a_place_for_logs_nothing_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "file"))
    before = list(root_logger.handlers)
    start_log()
    assert root_logger.handlers == before
    FaultLog().start()


def test_a_crash_is_told_once_and_without_paths(tmp_path: Path) -> None:
    run_and_end(tmp_path, "crash")
    (left,) = tmp_path.iterdir()
    log = FaultLog(tmp_path)
    report = log.take_earlier()
    assert report is not None
    text = report.read_text(encoding="utf-8")
    assert "in string_at" in text
    assert str(Path(sys.prefix)) not in text
    assert not left.exists()
    assert log.take_earlier() is None


def test_a_process_that_ended_well_leaves_nothing(tmp_path: Path) -> None:
    run_and_end(tmp_path, "well")
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_running_process_is_left_alone(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    file = tmp_path / f"fault-{running.pid}.txt"
    file.write_text("Fatal Python error: x\n")
    try:
        assert FaultLog(tmp_path).take_earlier() is None
        assert file.exists()
    finally:
        running.communicate(b"\n", timeout=60)
    assert FaultLog(tmp_path).take_earlier() is not None
