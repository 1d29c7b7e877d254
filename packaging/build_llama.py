"""Build llama.cpp as loadable libraries for a bundle: every kind of CPU, and GPUs beside it.

    python packaging/build_llama.py --gpu vulkan [--gpu cuda] [--jobs 2]

The sources are those of the llama-cpp-python release that constraints.txt pins, so that the libraries match its
bindings. Each backend is a library of its own that is loaded where it can be: without a Vulkan driver that one
stays out and the CPU answers. Prints the folder with the libraries, `build/llama/<backends>/lib`. Run again, it builds what
changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "llama"
GPUS = ("vulkan", "cuda", "metal")
TARGETS = ("ggml", "llama", "mtmd")
_CONSTRAINT = re.compile(r"^llama-cpp-python==(\S+)$", re.MULTILINE)


def pinned_version() -> str:
    """The release of llama-cpp-python that everything here is made with.

    Raises:
        SystemExit: constraints.txt does not name one.
    """
    found = _CONSTRAINT.search((ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("packaging/constraints.txt does not pin llama-cpp-python")
    return found[1]


def cmake_options(gpus: Iterable[str], platform: str = sys.platform) -> list[str]:
    """What CMake is told.

    Args:
        gpus: of `GPUS`.
        platform: as `sys.platform`.
    """
    wanted = set(gpus)
    # The Mac's processors need no variants, and Metal is there on each of them.
    variants = platform != "darwin"
    rpath = "@loader_path" if platform == "darwin" else "$ORIGIN"
    switches = {
        "BUILD_SHARED_LIBS": True,
        "GGML_NATIVE": False,
        "GGML_BACKEND_DL": True,
        "GGML_CPU_ALL_VARIANTS": variants,
        "GGML_VULKAN": "vulkan" in wanted,
        "GGML_CUDA": "cuda" in wanted,
        "GGML_METAL": "metal" in wanted,
        "GGML_METAL_EMBED_LIBRARY": "metal" in wanted,
        "LLAMA_BUILD_MTMD": True,
        **{
            f"LLAMA_BUILD_{part}": False for part in ("COMMON", "TESTS", "TOOLS", "EXAMPLES", "SERVER", "APP")
        },
        "LLAMA_OPENSSL": False,
        # Plain file names: a bundle has no place for chains of links.
        "CMAKE_PLATFORM_NO_VERSIONED_SONAME": True,
        "CMAKE_BUILD_WITH_INSTALL_RPATH": True,
    }
    options = [f"-D{name}={'ON' if value else 'OFF'}" for name, value in switches.items()]
    if "vulkan" in wanted and platform == "linux":
        options.append(f"-DCMAKE_CXX_FLAGS=-I{ROOT / 'packaging' / 'vulkan_headers'}")
    return [*options, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_INSTALL_RPATH={rpath}"]


def fetch_source(folder: Path) -> Path:
    """The sources of llama.cpp, downloaded through pip unless they are there.

    Args:
        folder: to keep them in.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    version = pinned_version()
    archive = folder / f"llama_cpp_python-{version}.tar.gz"
    source = folder / archive.name.removesuffix(".tar.gz") / "vendor" / "llama.cpp"
    if not source.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        if not archive.exists():
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
            subprocess.run([*pip, "--dest", str(folder), f"llama-cpp-python=={version}"], check=True)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return source


def build(source: Path, gpus: Sequence[str], jobs: int) -> Path:
    """Compile, and gather the libraries.

    Args:
        source: of llama.cpp.
        gpus: of `GPUS`.
        jobs: compilers at a time.

    Returns:
        The folder with the libraries.

    Raises:
        subprocess.CalledProcessError: a tool failed.
    """
    folder = BUILD / "-".join(["cpu", *sorted(gpus)])
    work = folder / "work"
    generator = [] if os.name == "nt" else ["-G", "Ninja"]
    configure = ["cmake", *generator, "-S", str(source), "-B", str(work), *cmake_options(gpus)]
    subprocess.run(configure, check=True)
    make = ["cmake", "--build", str(work), "--config", "Release", "-j", str(jobs)]
    subprocess.run([*make, "--target", *TARGETS], check=True)
    return _gather(work, folder / "lib")


def _gather(work: Path, target: Path) -> Path:
    """Copy the built libraries into a fresh folder, without symbols where `strip` is there."""
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    patterns = ("*.so", "*.dylib", "*.dll")
    for pattern in patterns:
        for library in sorted((work / "bin").rglob(pattern)):
            shutil.copyfile(library, target / library.name)
            (target / library.name).chmod(0o755)
    if sys.platform == "linux" and shutil.which("strip"):
        subprocess.run(["strip", "--strip-unneeded", *map(str, target.iterdir())], check=True)
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Build, and print where the libraries are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gpu", action="append", choices=GPUS, default=[], help="may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--source", type=Path, help="llama.cpp's sources; downloaded without")
    options = parser.parse_args(argv)
    source = options.source or fetch_source(BUILD / "source")
    print(build(source, options.gpu, options.jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
