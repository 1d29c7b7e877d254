"""Install the system packages that the window and the set-up need, or say which they are.

    python3 packaging/system_packages.py [--headless]

Standard library only. Looks for each library and program itself, so a machine that has them from elsewhere
is left alone; installs with apt where this user may, else prints one line with what to install.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = ROOT / "packaging" / "system-libraries.txt"
LOG = ROOT / "build" / "setup.log"
FONTS = Path("/usr/share/fonts")
FONT_PACKAGE = "fonts-dejavu-core"
COMPILER = (("g++", "c++"),)
VIRTUAL_SCREEN = (("xvfb", "Xvfb"), ("xauth", "xauth"))


def read_libraries(text: str) -> dict[str, str]:
    """The library to look for, by its package; lines are `package library`, `#` begins a comment."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return dict(line[:2] for line in lines)


def missing_packages(
    libraries: dict[str, str],
    loads: Callable[[str], bool],
    which: Callable[[str], str | None],
    *,
    has_font: bool,
    has_venv: bool,
    headless: bool,
) -> list[str]:
    """Packages to install.

    Args:
        libraries: the library to look for, by its package.
        loads: whether a library is there.
        which: where a program is.
        has_font: any font is there.
        has_venv: Python's venv module works (Debian has it in a package of its own).
        headless: a virtual screen is wanted.
    """
    missing = [package for package, library in libraries.items() if not loads(library)]
    programs = (*COMPILER, *VIRTUAL_SCREEN) if headless else COMPILER
    missing += [package for package, program in programs if which(program) is None]
    if not has_font:
        missing.append(FONT_PACKAGE)
    if not has_venv:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def can_load(library: str) -> bool:
    """Whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_prefix() -> list[str] | None:
    """What to put before apt-get: nothing for root, sudo where it asks no password; None where it may not run."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def install(prefix: list[str], packages: list[str]) -> bool:
    """Install packages with apt; returns whether it worked. The output goes to the log."""
    apt = [*prefix, "apt-get", "-o", "DPkg::Lock::Timeout=120"]
    command = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:

        def run(command: list[str]) -> bool:
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, check=False
            )
            return done.returncode == 0

        # A fresh machine has no package lists yet.
        return run(command) or (run([*apt, "update"]) and run(command))


def main() -> None:
    """Look, install, tell."""
    parser = argparse.ArgumentParser(description="Install the system packages that are missing.")
    parser.add_argument("--headless", action="store_true", help="a virtual screen is needed as well")
    headless = parser.parse_args().headless
    if sys.platform != "linux":
        return
    packages = missing_packages(
        read_libraries(LIBRARIES.read_text(encoding="utf-8")),
        can_load,
        shutil.which,
        has_font=any(FONTS.rglob("*.[to]t[fc]")),
        has_venv=importlib.util.find_spec("ensurepip") is not None,
        headless=headless,
    )
    if not packages:
        return
    prefix = apt_prefix()
    if prefix is not None:
        print(f"Installing {len(packages)} system packages: {' '.join(packages)}", flush=True)
        if install(prefix, packages):
            return
        print(f"That did not work; what apt-get said is in {LOG}.")
    print(f"Install these system packages: sudo apt-get install {' '.join(packages)}", flush=True)


if __name__ == "__main__":
    main()
