"""Triton in a packaged program, where neither a C compiler nor Python's headers can be counted on."""

from __future__ import annotations

import os

from desktopapp import paths

DRIVER_FOLDER = "triton/backends/nvidia"
"""Where a package has the compiled part of Triton's driver; `packaging/triton_driver.py` makes it."""


def prepare_triton() -> None:
    """Have Triton take its driver's C part from the package, and keep compiled kernels in the person's folder.

    In the source tree it compiles that part itself, and its cache stays where it is.

    Raises:
        ImportError: Triton is not there.
    """
    if not paths.is_packaged():
        return
    os.environ.setdefault("TRITON_CACHE_DIR", str(paths.user_dir() / "cache" / "triton"))
    from triton import knobs

    knobs.build.impl = packaged_part


def packaged_part(
    name: str,
    _source: str,
    _source_dir: str,
    _library_dirs: list[str],
    _include_dirs: list[str],
    _libraries: list[str],
) -> str:
    """The compiled form of a C module of Triton's, in the form of its `knobs.build.impl`.

    Args:
        name: of the module.

    Returns:
        The path of the library.

    Raises:
        FileNotFoundError: the package has no such module.
    """
    library = paths.program_dir() / DRIVER_FOLDER / f"{name}.so"
    if not library.is_file():
        raise FileNotFoundError(f"this program brings no compiled {name} of Triton's")
    return str(library)
