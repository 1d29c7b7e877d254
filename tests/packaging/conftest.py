from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.built_programs import Program, built_folders


def _copy_or_link(source: str, target: str) -> str:
    """Another name for the same file: a program with CUDA is five gigabytes."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.fixture(
    scope="module",
    params=built_folders() or [pytest.param(None, marks=pytest.mark.skip(reason="no program was built"))],
    ids=lambda folder: folder.parent.name if folder else "none",
)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Each built program, put away from the sources."""
    target = tmp_path_factory.mktemp("elsewhere") / "Program Files" / request.param.name
    shutil.copytree(request.param, target, symlinks=True, copy_function=_copy_or_link)
    return Program(target)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty one; its path is short, as a person's is, since a socket's path has a limit."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
