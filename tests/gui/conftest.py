"""A window with a scripted worker in a folder of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.settings import Settings
from tests.desktop import opened_desktop
from tests.gui.scripted_worker import ScriptedWorker, script_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A per-user folder of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture
def open_desktop(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[..., Desktop]]:
    """Opens windows as the program does; closes what the test leaves open."""
    with ExitStack() as stack:

        def open_one(settings: Settings | None = None, files: tuple[str, ...] = ()) -> Desktop:
            settings = settings or Settings(language="en", theme="light")
            return stack.enter_context(opened_desktop(qapp, qtbot, ScriptedWorker(), settings, files))

        yield open_one


@pytest.fixture
def desktop(open_desktop: Callable[..., Desktop]) -> Desktop:
    """One open window whose model is loaded."""
    desktop = open_desktop()
    script_of(desktop).be_ready()
    return desktop


@pytest.fixture
def make_png(tmp_path: Path) -> Callable[..., str]:
    """Makes small pictures."""

    def make(name: str = "picture.png", width: int = 64, height: int = 48) -> str:
        image = QImage(width, height, QImage.Format.Format_RGB32)
        image.fill(QColor("#4b47d1"))
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert image.save(str(path))
        return str(path)

    return make
