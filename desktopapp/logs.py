"""The log of the window's process, and what a crash of Python's own leaves behind.

Both lie in the per-user folder. A log may name files of the person; what is kept of a crash does not.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from desktopapp import paths
from desktopapp.crash_report import report_fault

LOG_LIMIT_BYTES = 1_000_000
LOGS_KEPT = 3
_FAULT_PREFIX, _CRASH_PREFIX = "fault-", "crash-"
_CRASHES_KEPT = 5


class _Handler(RotatingFileHandler):
    """Goes on in the same file where another window's process holds it, as Windows then forbids to rename it."""

    def rotate(self, source: str, dest: str) -> None:
        with contextlib.suppress(OSError):
            super().rotate(source, dest)


def start_log() -> None:
    """Log warnings of this process to the per-user folder; without it the window runs all the same."""
    file = paths.logs_dir() / "window.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _Handler(
            file, maxBytes=LOG_LIMIT_BYTES, backupCount=LOGS_KEPT, encoding="utf-8", delay=True
        )
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)


class FaultLog:
    """A file that the interpreter writes its last words to when native code brings this process down.

    Args:
        folder: for the files; None is the per-user one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or paths.logs_dir()
        self._file = self._folder / f"{_FAULT_PREFIX}{os.getpid()}.txt"
        self._stream: TextIO | None = None

    def start(self) -> None:
        """Keep the file open from now on; without effect where it cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._stream = self._file.open("w", encoding="utf-8")
        except OSError:
            return
        faulthandler.enable(self._stream)

    def close(self) -> None:
        """The process ends as it should: nothing is to be kept."""
        if self._stream is not None:
            faulthandler.disable()
            self._stream.close()
            self._stream = None
            with contextlib.suppress(OSError):
                self._file.unlink()

    def take_earlier(self) -> Path | None:
        """What an earlier process left, kept as `crash-*.txt` without paths; None where all ended well.

        Returns:
            The newest one.
        """
        import psutil  # 20 ms that the window's start need not pay

        newest = None
        for file in sorted(self._folder.glob(f"{_FAULT_PREFIX}*.txt")):
            number = file.stem.removeprefix(_FAULT_PREFIX)
            if number.isdecimal() and not psutil.pid_exists(int(number)):
                with contextlib.suppress(OSError):
                    newest = self._keep(file) or newest
        for old in sorted(self._folder.glob(f"{_CRASH_PREFIX}*.txt"))[:-_CRASHES_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
        return newest

    def _keep(self, file: Path) -> Path | None:
        if not file.stat().st_size:
            file.unlink()  # it was killed, or the machine went down
            return None
        report = report_fault(file.read_text(encoding="utf-8", errors="replace"))
        moment = datetime.fromtimestamp(file.stat().st_mtime).astimezone().strftime("%Y%m%d-%H%M%S")
        kept = file.with_name(f"{_CRASH_PREFIX}{moment}-{file.stem.removeprefix(_FAULT_PREFIX)}.txt")
        kept.write_text(report, encoding="utf-8")
        file.unlink()
        return kept
