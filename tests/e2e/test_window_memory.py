"""Memory in the real window with the real engine: why a question does not fit, the button that mends it, giving it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.conversations import MessageState, StoredMessage
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.memory.account import Segment, account_of
from desktopapp.settings import Settings
from desktopapp.ui.chat import ChatState
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.error_card import ErrorCard
from desktopapp.worker.inference_worker import InferenceWorker
from tests.desktop import opened_desktop

PATIENCE_MS = 150_000
POCKET = paths.program_dir() / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"


@pytest.fixture
def desktop(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desktop]:
    """A window whose ceiling is below what the engine's libraries take alone."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    worker = InferenceWorker(default_backends, log_dir=tmp_path / "logs")
    settings = Settings(str(POCKET), "transformers", vram_limit_gib=0.3, language="en", theme="light")
    with opened_desktop(qapp, qtbot, worker, settings) as desktop:
        yield desktop


def ask(desktop: Desktop, qtbot: QtBot, text: str) -> StoredMessage:
    """Type, send, and wait for the end."""
    qtbot.keyClicks(desktop.window.composer.edit, text)
    qtbot.keyClick(desktop.window.composer.edit, Qt.Key.Key_Return)
    return ended(desktop, qtbot)


def ended(desktop: Desktop, qtbot: QtBot) -> StoredMessage:
    qtbot.waitUntil(lambda: desktop.session.chat.state is ChatState.IDLE, timeout=PATIENCE_MS)
    return desktop.session.chat.messages[-1]


def card_of(desktop: Desktop, answer: StoredMessage) -> ErrorCard:
    shown = desktop.window.view.message(answer.message_id)
    assert isinstance(shown, AnswerMessage)
    assert shown.error_card is not None
    return shown.error_card


def weights_bytes(desktop: Desktop) -> int:
    """As the gauge shows them."""
    sample = desktop.window.status.gauge.sample
    return account_of(sample).segments[Segment.WEIGHTS] if sample is not None else 0


def test_a_ceiling_that_is_too_low_is_explained_and_raised_and_memory_is_given_back(
    desktop: Desktop, qtbot: QtBot
) -> None:
    card = card_of(desktop, ask(desktop, qtbot, "Hello"))
    card.why_button.click()
    parts, *conflicts = card.why.text().splitlines()
    assert parts.startswith("Weights ")
    assert [line for line in conflicts if "The ceiling is set to 0.3 GiB" in line]
    (button,) = [one for one in card.remedy_buttons if "Raise the ceiling by" in one.text()]
    button.click()
    assert ended(desktop, qtbot).state is MessageState.DONE
    qtbot.waitUntil(lambda: weights_bytes(desktop) > 0, timeout=PATIENCE_MS)
    gauge = desktop.window.status.gauge
    gauge.open_panel()
    qtbot.mouseClick(gauge.panel.unload_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: weights_bytes(desktop) == 0, timeout=PATIENCE_MS)
    unloaded = "No model is loaded; it loads with your next message"
    qtbot.waitUntil(lambda: desktop.window.status.text == unloaded, timeout=PATIENCE_MS)
    assert ask(desktop, qtbot, "Hello again").state is MessageState.DONE
