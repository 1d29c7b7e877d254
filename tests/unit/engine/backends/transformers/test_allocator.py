"""How torch's allocator is set before torch is imported."""

from __future__ import annotations

import os
import sys

import pytest

from desktopapp.engine.backends.transformers.backend import _use_expandable_segments

OLD_NAME = "PYTORCH_CUDA_ALLOC_CONF"
NAME = "PYTORCH_ALLOC_CONF"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, OLD_NAME):
        monkeypatch.setenv(name, "")  # is restored behind the test, whatever is set within
        monkeypatch.delenv(name)


def test_freed_pieces_serve_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    _use_expandable_segments()
    assert os.environ[NAME] == "expandable_segments:True"


@pytest.mark.parametrize("name", [NAME, OLD_NAME])
def test_what_the_person_set_stays(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv(name, "max_split_size_mb:64")
    _use_expandable_segments()
    assert {key: value for key, value in os.environ.items() if key in (NAME, OLD_NAME)} == {
        name: "max_split_size_mb:64"
    }


def test_windows_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    _use_expandable_segments()
    assert NAME not in os.environ
