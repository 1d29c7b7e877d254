from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from desktopapp import paths
from desktopapp.modelstore.store import find_models
from desktopapp.settings import load_settings


@pytest.mark.parametrize("place", ["loop/x", "~nobody-has-this-name/x", "relative"])
def test_an_odd_user_folder_is_no_crash(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "program_dir", lambda: tmp_path / "program")
    monkeypatch.setenv(paths.HOME_VARIABLE, place)
    assert paths.user_dir() == tmp_path / place
    assert load_settings().settings.model_name == ""
    assert find_models(["~nobody-has-this-name", "loop", "loop/m.gguf", "a\0b", "a\0b.gguf"]) == []


def test_the_home_folder_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.HOME_VARIABLE, "~/mine")
    assert paths.user_dir() == Path.home() / "mine"


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_the_disk_of_a_folder_that_cannot_be_asked_is_that_of_the_one_above(
    error: type[OSError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(path: Path) -> SimpleNamespace:
        if path != tmp_path:
            raise error
        return SimpleNamespace(free=5)

    monkeypatch.setattr("desktopapp.paths.shutil.disk_usage", ask)
    assert paths.free_bytes_for(tmp_path / "a" / "b") == 5
    assert paths.free_bytes_for(Path("/elsewhere")) == 0
