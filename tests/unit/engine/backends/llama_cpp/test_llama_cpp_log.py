"""What the libraries log: whole lines, right levels, the last errors kept."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from desktopapp.engine.backends.llama_cpp.library import LibraryLog
from desktopapp.errors import OutOfMemory
from desktopapp.worker.post_mortem import Death, read_tail

# What ggml does when a CUDA pool cannot grow: it logs the reason, then aborts.
_DIES_OF_MEMORY = """
import os, sys
from pathlib import Path
from desktopapp.engine.host import _send_streams_to
_send_streams_to(Path(sys.argv[1]))
from desktopapp.engine.backends.llama_cpp.library import log
log.add(4, b"allocating 512.00 MiB on device 0: cudaMalloc failed: out of memory\\n")
os.abort()
"""

_DEBUG, _INFO, _WARN, _ERROR, _CONT = 1, 2, 3, 4, 5


def test_pieces_become_lines(caplog: pytest.LogCaptureFixture) -> None:
    log = LibraryLog()
    with caplog.at_level(logging.DEBUG, "desktopapp.engine.llama_cpp"):
        log.add(_ERROR, b"first ")
        assert not caplog.records
        log.add(_CONT, b"half\nsecond\n\n")
        log.add(_INFO, b"a page of facts\n")
        log.add(_WARN, "größer \xff\n".encode("latin-1"))
    assert [record.message for record in caplog.records][:3] == ["first half", "second", "a page of facts"]
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.ERROR, logging.ERROR, logging.DEBUG, logging.WARNING]
    assert log.trouble() == ("first half", "second")


def test_forget_and_bound() -> None:
    log = LibraryLog()
    for number in range(100):
        log.add(_ERROR, f"{number}\n".encode())
    assert log.trouble()[-1] == "99"
    assert len(log.trouble()) < 100
    log.forget()
    assert log.trouble() == ()
    log.add(_ERROR, None)
    assert log.trouble() == ()


def test_the_reason_of_an_abort_reaches_the_post_mortem(tmp_path: Path) -> None:
    log_path = tmp_path / "engine.log"
    child = subprocess.run([sys.executable, "-c", _DIES_OF_MEMORY, str(log_path)], check=False)
    assert child.returncode < 0
    death = Death(child.returncode, read_tail(log_path), killed_for_memory=False)
    assert isinstance(death.error("reading a picture"), OutOfMemory)
