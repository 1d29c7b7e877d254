"""Takes out of a bundle what only left-out parts needed, and puts stubs in for libraries that are never called."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

Entry: TypeAlias = tuple[str, str, str]
"""PyInstaller's: destination, source, kind (`BINARY`, `EXTENSION`, `DATA`, `SYMLINK`)."""


def drop_orphans(
    entries: Sequence[Entry], needed_by: Callable[[str], Iterable[str]], roots: Iterable[str] = ()
) -> list[Entry]:
    """Leave out libraries that nothing in the bundle loads, and links to what is not there.

    Args:
        entries: of the bundle's binaries. Only libraries at the top, which are the system's, and in the wheels'
            `*.libs` folders are looked at: others are loaded by name at run time.
        needed_by: names of the libraries that a file is linked against.
        roots: beginnings of names that stay although nothing is linked against them, as `libpython`.
    """
    kept = list(entries)
    while True:
        wanted = {name for _, source, kind in kept if kind != "SYMLINK" for name in needed_by(source)}
        there = {destination for destination, _, kind in kept if kind != "SYMLINK"}
        left = [
            entry
            for entry in kept
            if (entry[1] in there if entry[2] == "SYMLINK" else _is_loaded(entry[0], wanted, tuple(roots)))
        ]
        if len(left) == len(kept):
            return left
        kept = left


def drop_dangling(entries: Iterable[Entry], binaries: Iterable[Entry]) -> list[Entry]:
    """Leave out links, of the bundle's data, to what is not in it.

    Args:
        entries: of the bundle's data.
        binaries: of the bundle.
    """
    data = list(entries)
    there = {destination for destination, _, kind in [*data, *binaries] if kind != "SYMLINK"}
    return [entry for entry in data if entry[2] != "SYMLINK" or entry[1] in there]


def _is_loaded(destination: str, wanted: set[str], roots: tuple[str, ...]) -> bool:
    folder, _, name = destination.rpartition("/")
    is_library = name.startswith("lib") and ".so" in name and (not folder or folder.endswith(".libs"))
    return not is_library or name in wanted or name.startswith(roots)


def needed_libraries(file: str) -> list[str]:
    """Names of the libraries that an ELF file is itself linked against; none for other files."""
    done = subprocess.run(["readelf", "--dynamic", file], capture_output=True, text=True, check=False)
    return re.findall(r"\(NEEDED\).*\[(.+)\]", done.stdout)


def write_stub(library: Path, callers: Iterable[Path], kind: str, folder: Path) -> Path:
    """Compile a library of the same name with the functions that are looked for in it, and nothing behind them.

    Args:
        library: that it stands in for.
        callers: files that are linked against it.
        kind: `null`: every function returns 0; `abort`: it prints its name and ends the process.
        folder: to write to.

    Returns:
        The stub.

    Raises:
        subprocess.CalledProcessError: there is no compiler, or no `nm`.
    """
    offered = _symbols(library, "--defined-only")
    asked = set[str]().union(*(_symbols(caller, "--undefined-only") for caller in callers))
    names = sorted(offered & asked)
    body = "return 0;" if kind == "null" else "return missing(__func__);"
    lines = [
        "#include <stdio.h>",
        "#include <stdlib.h>",
        "__attribute__((unused)) static void *missing(const char *name) {",
        f'    fprintf(stderr, "%s of {library.name} is not part of this program\\n", name);',
        "    abort();",
        "}",
        *(f"void *{name}(void) {{ {body} }}" for name in names),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    source, stub = folder / f"{library.name}.c", folder / library.name
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-s",
        f"-Wl,-soname,{library.name}",
        "-o",
        str(stub),
        str(source),
    ]
    subprocess.run(command, check=True)
    return stub


def _symbols(library: Path, which: str) -> set[str]:
    """Names of a library's dynamic functions, without versions."""
    command = ["nm", "--dynamic", "--format=posix", which, str(library)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {line.split()[0].partition("@")[0] for line in done.stdout.splitlines() if line.strip()}
