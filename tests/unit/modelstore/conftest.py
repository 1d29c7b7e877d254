from pathlib import Path

import pytest


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty per-user model folder, and no models of the program."""
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    place = tmp_path / "home" / "models" / "qwen3-vl"
    place.mkdir(parents=True)
    return place
