"""A damaged mmproj file is called damaged: who is told that it is missing looks for another one in vain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from desktopapp.engine.backend_choice import choose_backend
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import ModelDamaged
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from desktopapp.modelstore.store import find_model


@pytest.fixture
def folder(tmp_path: Path, random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose mmproj is cut short."""
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))
    folder = tmp_path / "m"
    folder.mkdir()
    assert random_gguf.projector is not None
    shutil.copy(random_gguf.path, folder / "m-F32.gguf")
    (folder / "mmproj-m-F32.gguf").write_bytes(random_gguf.projector.read_bytes()[:400])
    return folder


@pytest.mark.parametrize("wanted", [BackendChoice.LLAMA_CPP, BackendChoice.AUTO])
def test_it_is_called_damaged(folder: Path, wanted: BackendChoice) -> None:
    model = find_model(str(folder))
    (files,) = model.files
    assert files.damaged is not None
    assert files.damaged[0] == "mmproj-m-F32.gguf"
    assert [words.startswith("an undamaged “mmproj-m-F32.gguf”") for words in files.missing] == [True]
    with pytest.raises(ModelDamaged, match="mmproj-m-F32"):
        choose_backend(model, wanted, None)


def test_beside_safetensors(folder: Path, random_folder: Path) -> None:
    for path in random_folder.iterdir():
        shutil.copy(path, folder)
    model = find_model(str(folder))
    assert [files.format for files in model.files if not files.missing] == [WeightFormat.SAFETENSORS]
    with pytest.raises(ModelDamaged, match="mmproj-m-F32"):
        choose_backend(model, BackendChoice.LLAMA_CPP, None)


def test_a_second_projector_stands_in(folder: Path, random_gguf: ModelFiles) -> None:
    assert random_gguf.projector is not None
    good = Path(shutil.copy(random_gguf.projector, folder / "mmproj-again.gguf"))
    usable = [files for files in find_model(str(folder / "m-F32.gguf")).files if not files.missing]
    assert [files.projector for files in usable] == [good]
