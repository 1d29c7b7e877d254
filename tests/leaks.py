"""What a test must not leave behind: threads and child processes."""

from __future__ import annotations

import threading
import time

import psutil

from desktopapp.engine.media.page_process import DRAW_PAGES

WAIT_S = 10.0
# They belong to the interpreter or to a library and live as long as it does; pages are drawn by one that rests for the next.
_THREADS = ("tqdm_monitor", "QtThread", "execnet", "pytest_timeout")
_PROCESSES = ("multiprocessing.resource_tracker", "Xvfb", DRAW_PAGES)


def own_threads() -> set[threading.Thread]:
    """Threads that somebody started with Python; those that Qt started show up as dummies and are Qt's."""
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and not thread.name.startswith(_THREADS)
    }


def own_processes() -> set[psutil.Process]:
    """All children and their children."""
    return {process for process in psutil.Process().children(recursive=True) if not _is_allowed(process)}


def left_behind(before: tuple[set[threading.Thread], set[psutil.Process]]) -> list[str]:
    """Names of what came since `before` and does not end within a few seconds."""
    deadline_s = time.monotonic() + WAIT_S
    while (names := _names_since(before)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return names


def _names_since(before: tuple[set[threading.Thread], set[psutil.Process]]) -> list[str]:
    threads = [f"thread {thread.name}" for thread in own_threads() - before[0]]
    return threads + [f"process {p.pid} {command_of(p)}" for p in own_processes() - before[1]]


def _is_allowed(process: psutil.Process) -> bool:
    command = command_of(process)
    return not command or any(name in command for name in _PROCESSES)


def command_of(process: psutil.Process) -> str:
    """What a process was started with; empty where it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
