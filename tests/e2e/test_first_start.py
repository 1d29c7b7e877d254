"""What the window suggests at the first start works at once, with the model that came with the program."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.engine.backends.registry import default_backends
from desktopapp.settings import Settings
from desktopapp.ui.chat import ChatState
from desktopapp.worker.inference_worker import InferenceWorker
from tests.desktop import opened_desktop

PATIENCE_MS = 150_000

EXPECTED = {
    "receipt": r"CORNER SHOP\n.*Total 14\.50",
    "find a word": r'"bbox_2d": \[\d+, (?:9|1[0-2])\d, \d+, 1[4-7]\d\]',
    "shapes": r"^1\b",
    "video": r"^00:05\.[2-5]",
}


@pytest.fixture
def desktop(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    """The window of a person who has chosen nothing yet."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    worker = InferenceWorker(default_backends, log_dir=tmp_path / "logs")
    with opened_desktop(qapp, qtbot, worker, Settings(language="en", theme="light")) as desktop:
        yield desktop


@pytest.mark.parametrize("label", EXPECTED)
def test_a_suggestion_of_the_first_start_is_answered_rightly(
    desktop: Desktop, qtbot: QtBot, label: str
) -> None:
    empty, composer = desktop.window.view.empty, desktop.window.composer

    def is_pocket_named() -> bool:
        return any("small model" in text.text() for text in empty.findChildren(QLabel))

    qtbot.waitUntil(is_pocket_named, timeout=PATIENCE_MS)
    (chip,) = [chip for chip in empty.chips if label in chip.text()]
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert len(composer.strip.paths) == 1
    assert composer.edit.hasFocus()
    qtbot.keyClick(composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desktop.session.chat.state is ChatState.IDLE, timeout=PATIENCE_MS)
    answer = desktop.session.chat.messages[-1].text
    assert re.search(EXPECTED[label], answer, re.DOTALL), answer
