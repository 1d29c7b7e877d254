"""What all commands share: exit codes, safe text, errors in two sentences."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TextIO

from desktopapp.errors import AppError

DONE = 0
FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130

# C0 and C1 controls, but for tab and line feed: a model's text or a file's name must not steer the terminal.
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}")


def without_controls(text: str) -> str:
    """Text that a terminal shows and does not obey."""
    return text.translate(_CONTROLS)


def report(stream: TextIO, error: AppError) -> None:
    """Write an error's message and remedy."""
    write_line(stream, f"{error.message} {error.remedy}".strip())


def write_line(stream: TextIO, text: str) -> None:
    """Write one line for a person, at once."""
    stream.write(without_controls(text) + "\n")
    stream.flush()


def write_json(stream: TextIO, value: object) -> None:
    """Write one JSON value on one line, at once, in ASCII so that no console can garble it."""
    stream.write(json.dumps(value) + "\n")
    stream.flush()


def readable_size(size_bytes: int) -> str:
    """A size as `4.9 GB` (decimal, as file managers and download pages count)."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1000:.0f} kB"


def open_missing_streams() -> None:
    """Let what is written to a stream that the caller closed (`>&-`) go nowhere, and no file take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def use_utf8(*streams: TextIO) -> None:
    """Let a stream write any character, whatever the console's code page is."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
