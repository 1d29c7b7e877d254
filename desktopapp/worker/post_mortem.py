"""Why an engine process ended: from its exit code, the tail of its output, and the kernel's counters."""

from __future__ import annotations

import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from desktopapp.engine.host import WORK_MARK
from desktopapp.errors import AppError, EngineDied, OutOfMemory

TAIL_BYTES = 8_192

# What torch, llama.cpp, the CUDA runtime and C++ print when an allocation fails.
_OUT_OF_MEMORY = re.compile(
    r"cudaMalloc failed: out of memory|CUDA error: out of memory|failed to allocate|std::bad_alloc"
    r"|CUDA out of memory|OutOfMemoryError|MemoryError|cannot allocate memory|unable to allocate"
    r"|insufficient memory|mem_buffer != NULL",
    re.IGNORECASE,
)
# What faulthandler writes behind the line that matters.
_STACK = re.compile(r"^(Thread 0x|Current thread 0x|  File \"|  <|Extension modules:|Stack \(most recent)")
_FATAL = re.compile(r"^(Fatal Python error|Windows fatal exception)")
_VMSTAT = Path("/proc/vmstat")
_CGROUP_EVENTS = Path("/sys/fs/cgroup/memory.events")
_LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Death:
    """The facts of an ended process.

    Args:
        exit_code: as `multiprocessing` gives it: negative is a signal's number.
        tail: end of its output, from where its last work began.
        killed_for_memory: the kernel killed processes for lack of memory while it lived.
    """

    exit_code: int
    tail: str
    killed_for_memory: bool

    def error(self, what: str) -> AppError:
        """The error to tell about it.

        Args:
            what: the process was doing, as `loading the model`.
        """
        if self.exit_code == -_number("SIGKILL") and self.killed_for_memory:
            return OutOfMemory(what=what, detail="killed by the system")
        if _OUT_OF_MEMORY.search(self.tail):
            return OutOfMemory(what=what, detail=self.detail)
        return EngineDied(what=what, detail=self.detail)

    @property
    def is_abort(self) -> bool:
        """Whether the process ended itself, as libraries do where an allocation fails.

        Source: SIGABRT; exit code 3 of Windows' `abort`, and STATUS_STACK_BUFFER_OVERRUN of its fail-fast.
        """
        return self.exit_code in (-_number("SIGABRT"), 0xC0000409) or (
            sys.platform == "win32" and self.exit_code == 3
        )

    @property
    def detail(self) -> str:
        """The way it ended, and the last line of output that means something."""
        ending = describe_exit(self.exit_code)
        line = last_meaningful_line(self.tail)
        return f"{ending}: {line}" if line else ending


def describe_exit(exit_code: int) -> str:
    """An exit code in words: a signal's name, a Windows status in hexadecimal, or the number."""
    if exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        return f"killed by the system, {name}" if name == "SIGKILL" else name
    # Source: NTSTATUS severity "error", which is how a Windows process ends on an access violation.
    return f"status 0x{exit_code:08X}" if exit_code >= 0xC0000000 else f"exit code {exit_code}"


def last_meaningful_line(output: str) -> str:
    """The line to show: what a library said before it aborted, else the last one, stacks left out."""
    lines = [line for line in output.splitlines() if line.strip() and not _STACK.match(line)]
    if not lines:
        return ""
    said = [line for line in lines[-3:] if not _FATAL.match(line)]
    return (said or lines)[-1].strip()[:_LONGEST_DETAIL]


def size_of(path: Path) -> int:
    """A file's size in bytes; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_tail(path: Path) -> str:
    """What a log file holds of the last piece of work, its last few KiB at most; empty if there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, size_of(path) - TAIL_BYTES))
            tail = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = tail.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.startswith(WORK_MARK)]
    return "".join(lines[marks[-1] + 1 :] if marks else lines)


def count_memory_kills() -> int:
    """How many processes the Linux kernel has killed for lack of memory; 0 where that is not known.

    Source: `oom_kill` in /proc/vmstat and in the cgroup's memory.events.
    """
    return sum(_oom_kills(path) for path in (_VMSTAT, _CGROUP_EVENTS))


def _oom_kills(path: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _number(name: str) -> int:
    """A signal's number; 0 on a system without it."""
    return int(getattr(signal, name, 0))
