"""Fixtures that every suite shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktopapp.modelstore.model import ModelKind
from models.random_pair import make_random_model


@pytest.fixture(scope="session")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random-weight Instruct model in 32 bits, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("random") / "qwen3-vl-random-instruct"
    make_random_model(folder, ModelKind.INSTRUCT, seed=7, dtype="F32")
    return folder
