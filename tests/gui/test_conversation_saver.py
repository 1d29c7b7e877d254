"""What goes wrong in the thread that writes conversations."""

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktopapp.conversation_history import ConversationHistory
from desktopapp.conversations import ConversationStore
from desktopapp.ui.conversation_saver import ConversationSaver


def test_a_defect_is_not_swallowed(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[type[BaseException], str]] = []

    def hear(args: threading.ExceptHookArgs) -> None:
        told.append((args.exc_type, str(args.exc_value)))

    def fail(_history: ConversationHistory) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(threading, "excepthook", hear)
    saver = ConversationSaver()
    saver.open(ConversationStore(tmp_path / "conversations.db"))
    saver.change_history(fail)
    with qtbot.waitSignal(saver.listed) as listed:  # what comes after it is done all the same
        saver.find("")
    saver.close()
    assert told == [(KeyError, "'a defect'")]
    assert listed.args == ["", []]
