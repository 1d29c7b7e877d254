"""Compile the C part of Triton's NVIDIA driver for a package: people's machines have no compiler and no Python headers.

Triton compiles it at its first kernel; in a package `desktopapp`'s `packaged_triton` hands it this one instead.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
from pathlib import Path

NAME = "cuda_utils"
DESTINATION = "triton/backends/nvidia"
_CUDA = "libcuda.so.1"


def driver_folder() -> Path:
    """Where the installed Triton has its driver.

    Raises:
        ModuleNotFoundError: Triton is not installed.
    """
    found = importlib.util.find_spec("triton")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("triton is not installed")
    return Path(found.origin).parent / "backends" / "nvidia"


def build(folder: Path) -> Path:
    """Compile the driver's part.

    Args:
        folder: to write to.

    Returns:
        The library; it wants `libcuda.so.1`, which belongs to the machine's driver.

    Raises:
        subprocess.CalledProcessError: the compiler failed.
    """
    driver, target = driver_folder(), folder / f"{NAME}.so"
    folder.mkdir(parents=True, exist_ok=True)
    # The machine that builds needs no driver: the name alone is written down, functions are looked for at run time.
    stand_in = folder / _CUDA
    shared = ["cc", "-shared", "-fPIC"]
    subprocess.run([*shared, "-x", "c", "/dev/null", f"-Wl,-soname,{_CUDA}", "-o", str(stand_in)], check=True)
    includes = [driver / "include", Path(sysconfig.get_paths()["include"])]
    command = [*shared, "-O3", "-s", "-Wno-psabi", str(driver / "driver.c"), "-o", str(target)]
    command += [f"-I{path}" for path in includes]
    command += ["-Wl,--no-as-needed", f"-L{folder}", f"-l:{_CUDA}"]
    subprocess.run(command, check=True)
    stand_in.unlink()
    return target
