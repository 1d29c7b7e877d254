"""Make an installable program: llama.cpp's libraries, icons, the frozen bundle, and on Linux its packages.

    python packaging/build_bundle.py lite|full [--gpu vulkan|cuda|metal|none] [--libraries FOLDER] [--no-packages]

`make package` and `make package-full` do this after the set-up. Everything goes to `build/` and `dist/`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import build_llama
import make_icons
from bundle_contents import CONTENTS, FLAVOURS, NAME, ROOT, Flavour
from full_contents import installed_bytes

LITE_LIMIT_BYTES = 400 * 10**6
FULL_MARGIN_BYTES = 350 * 10**6


def freeze(flavour: Flavour, libraries: Path) -> Path:
    """Run PyInstaller.

    Args:
        flavour: which program.
        libraries: llama.cpp's, from `build_llama`.

    Returns:
        The folder of the program.

    Raises:
        subprocess.CalledProcessError: PyInstaller failed.
    """
    target = ROOT / "build" / "bundle" / flavour
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(target), "--workpath", str(ROOT / "build" / "pyinstaller" / flavour)]
    wishes = {"QWEN3VL_FLAVOUR": flavour, "QWEN3VL_LLAMA_LIBRARIES": str(libraries)}
    specification = ROOT / "packaging" / f"{NAME}.spec"
    subprocess.run([*command, str(specification)], check=True, cwd=ROOT, env={**os.environ, **wishes})
    return target / NAME


def strip_symbols(program: Path) -> None:
    """Take symbols out of what Python and the system brought; wheels' libraries are stripped or must stay as they are."""
    contents = program / CONTENTS
    files = [path for path in contents.glob("lib*.so*") if not path.is_symlink()]
    files += contents.glob("python3*/lib-dynload/*.so")
    if sys.platform == "linux" and shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", *map(str, files)], check=True)


def size_of(folder: Path) -> int:
    """Bytes of all files of a folder; of a file that has several names, once."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def check_size(program: Path, flavour: Flavour) -> str:
    """Compare a program's size without models with its limit.

    Args:
        program: its folder.
        flavour: which program.

    Returns:
        The figures in words.

    Raises:
        SystemExit: it is too large.
    """
    models = size_of(program / CONTENTS / "models")
    own = size_of(program) - models
    limit = LITE_LIMIT_BYTES if flavour == "lite" else installed_bytes("torch") + FULL_MARGIN_BYTES
    words = f"{own / 1e6:.0f} MB without models (limit {limit / 1e6:.0f}), models {models / 1e6:.0f} MB"
    if own > limit:
        raise SystemExit(f"{program} is too large: {words}")
    return words


def main(argv: Sequence[str] | None = None) -> int:
    """Make everything of one flavour."""
    default = "metal" if sys.platform == "darwin" else "vulkan"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("flavour", choices=FLAVOURS)
    parser.add_argument("--gpu", choices=[*build_llama.GPUS, "none"], default=default, help="of llama.cpp")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time")
    parser.add_argument("--source", type=Path, help="llama.cpp's sources; downloaded without")
    parser.add_argument(
        "--libraries", type=Path, help="llama.cpp's, as build_llama.py left them; built without"
    )
    parser.add_argument("--no-packages", action="store_true", help="stop at the program's folder")
    options = parser.parse_args(argv)
    gpus = [] if options.gpu == "none" else [options.gpu]
    libraries = options.libraries
    if libraries is None:
        source = options.source or build_llama.fetch_source(build_llama.BUILD / "source")
        libraries = build_llama.build(source, gpus, options.jobs)
    make_icons.make_icons()
    if sys.platform == "win32":
        subprocess.run([sys.executable, str(ROOT / "packaging/windows/write_resources.py")], check=True)
    program = freeze(options.flavour, libraries)
    strip_symbols(program)
    print(f"{program}: {check_size(program, options.flavour)}")
    if sys.platform == "linux" and not options.no_packages:
        import linux_packages

        for package in linux_packages.make_all(program, options.flavour):
            print(f"{package}: {package.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
