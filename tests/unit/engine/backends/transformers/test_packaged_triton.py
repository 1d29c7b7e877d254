"""Triton in a package, and where it cannot work: plain torch answers then."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from subprocess import CalledProcessError

import pytest
import torch

from desktopapp import paths
from desktopapp.engine.backends.transformers.kv_cache import acceleration
from desktopapp.engine.backends.transformers.packaged_triton import (
    DRIVER_FOLDER,
    packaged_part,
    prepare_triton,
)

CARD = torch.device("cuda")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packaged program's folder."""
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path


def test_a_package_brings_the_driver_and_keeps_kernels_in_the_person_s_folder(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = pytest.importorskip("triton").knobs
    monkeypatch.setattr(knobs.build, "impl", None)
    monkeypatch.setenv("TRITON_CACHE_DIR", "")
    monkeypatch.delenv("TRITON_CACHE_DIR")
    library = package / DRIVER_FOLDER / "cuda_utils.so"
    library.parent.mkdir(parents=True)
    library.touch()
    prepare_triton()
    assert Path(os.environ["TRITON_CACHE_DIR"]) == package / "home" / "cache" / "triton"
    assert knobs.build.impl("cuda_utils", "", "", [], [], []) == str(library)


def test_a_part_that_the_package_lacks_is_named(package: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no compiled launcher"):
        packaged_part("launcher", "", "", [], [], [])


def test_the_source_tree_lets_triton_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    knobs = pytest.importorskip("triton").knobs
    monkeypatch.setattr(knobs.build, "impl", None)
    prepare_triton()
    assert knobs.build.impl is None


@pytest.mark.parametrize(
    "error",
    [
        CalledProcessError(1, ["gcc"]),
        RuntimeError("Failed to find C compiler"),
        AssertionError("libcuda.so cannot found!"),
        FileNotFoundError("no ldconfig"),
    ],
)
def test_where_kernels_cannot_be_compiled_it_is_said_and_plain_torch_answers(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("triton")

    def fail(_device: torch.device) -> None:
        raise error

    monkeypatch.setattr(acceleration, "_append_a_token", fail)
    with caplog.at_level(logging.WARNING):
        assert acceleration.has_kernels.__wrapped__(CARD) is False
    assert "Triton kernels are not used" in caplog.text


def test_memory_that_runs_out_is_no_missing_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("triton")

    def fail(_device: torch.device) -> None:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(acceleration, "_append_a_token", fail)
    with pytest.raises(torch.OutOfMemoryError):
        acceleration.has_kernels.__wrapped__(CARD)
