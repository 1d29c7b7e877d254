"""Where the engine's child process begins.

Only what makes a later failure visible happens here, before anything that could fail is imported: the
streams go to a file whose tail the window's process reads when this process dies.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

WORK_MARK = "-- "
"""Begins a line of the log that tells where a piece of work begins or ends; what stands before it is old news."""

_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h
STACKS_SIGNAL: signal.Signals | None = getattr(signal, "SIGUSR1", None)
"""Makes the process print the stack of every thread; None on Windows."""


def run_engine(
    commands: Connection, events: Connection, log_path: str, parent_pid: int, factory: bytes
) -> None:
    """Be the engine process until told to end; the target of `multiprocessing`'s spawn.

    Args:
        commands: the window's process writes here.
        events: and reads here.
        log_path: gets stdout and stderr, the native libraries' as well.
        parent_pid: of the window's process.
        factory: pickled function without arguments that returns the backends, as `default_backends`;
            pickled so that importing its module happens after the streams were moved.
    """
    _send_streams_to(Path(log_path))
    _die_with_parent(parent_pid)

    from desktopapp.engine.serving import EngineServer
    from desktopapp.modelstore import store

    EngineServer(commands, events, store, pickle.loads(factory)).run()


def _send_streams_to(path: Path) -> None:
    """Point descriptors 1 and 2 and Python's streams at a file; both may be missing in a windowed program."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    if descriptor > 2:  # a process without streams gets one of their numbers for the file
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    faulthandler.enable(file=2)
    if STACKS_SIGNAL is not None:
        faulthandler.register(STACKS_SIGNAL, file=2, all_threads=True)
    # Libraries say through `logging` why they are about to abort; whoever reads the log afterwards needs that.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
    # llama.cpp would start a debugger on itself before it aborts; its message is enough.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")


def _die_with_parent(parent_pid: int) -> None:
    """On Linux the kernel ends this process with its parent's thread, even while native code holds the GIL.

    Elsewhere, and for Ctrl-C in a terminal, the end of the command pipe does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            os._exit(0)
