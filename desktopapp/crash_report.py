"""A report of what nobody expected, once for giving away and once with everything.

The first one holds versions, kinds of errors, and where in whose code they arose. What an error says may quote a
question, an answer or a file's name, and a path begins with a person's name, so they are in the second one only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

import desktopapp

_WITHHELD = "(its words are left out)"
# Folders behind which a path says nothing of the person any more.
_ROOTS = ("site-packages", "dist-packages", "_internal", "lib-dynload")
_FAULT_LINE = re.compile(r'^(\s*)File "(.*)", line (\d+) in (.*)$')
_KNOWN_FAULT = re.compile(
    r"^(Fatal Python error|Windows fatal exception|Current thread|Thread 0x|  <|Extension modules)"
)
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class CrashReport:
    """One report.

    Args:
        public: without anything of the person's.
        full: with the errors' own words and whole paths.
    """

    public: str
    full: str


def report_error(error: BaseException, versions: str) -> CrashReport:
    """The report of an exception.

    Args:
        error: with its traceback.
        versions: of what runs, one line.
    """
    import traceback

    head = f"Qwen3-VL Desktop {desktopapp.__version__}\n{versions}\n\n"
    whole = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return CrashReport(head + "\n".join(_public_lines(error)) + "\n", head + whole)


def report_fault(text: str) -> str:
    """What the interpreter wrote when native code ended the process, without the person's paths.

    Args:
        text: as faulthandler writes it.
    """
    lines = []
    for line in text.splitlines():
        found = _FAULT_LINE.match(line)
        if found:
            lines.append(f"{found[1]}{shorten(found[2])}:{found[3]} in {found[4]}")
        elif _KNOWN_FAULT.match(line):
            lines.append(line)
    return "\n".join(lines) + "\n"


def shorten(path: str) -> str:
    """A path from its package on: `desktopapp/ui/chat.py`; of other files the last part."""
    pure: PurePath = PureWindowsPath(path) if "\\" in path else PurePosixPath(path)
    parts = pure.parts
    for root in _ROOTS:
        if root in parts:
            return "/".join(parts[parts.index(root) + 1 :])
    for package in ("desktopapp", "python3.11", "python3.12", "python3.13", "python3.14"):
        if package in parts:
            return "/".join(parts[parts.index(package) :])
    return pure.name


def _public_lines(error: BaseException) -> list[str]:
    """The chain of errors, the first cause first, as a traceback shows it."""
    blocks: list[list[str]] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen and len(blocks) < _LONGEST_CHAIN:
        seen.add(id(current))
        blocks.append(_lines_of(current))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    lines: list[str] = []
    for block in reversed(blocks):
        lines += [*(["then:"] if lines else []), *block]
    return lines


def _lines_of(error: BaseException) -> list[str]:
    kind = type(error)
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"  {shorten(code.co_filename)}:{trace.tb_lineno} in {code.co_qualname}")
        trace = trace.tb_next
    return [*places, f"{kind.__module__}.{kind.__qualname__} {_WITHHELD}"]
