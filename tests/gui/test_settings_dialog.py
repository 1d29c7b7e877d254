"""Every setting can be chosen in the dialog, and lands in config.yaml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
import yaml
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QDoubleSpinBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.settings import Settings, load_settings
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.settings_dialog import SettingsDialog
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask

OTHER = Settings(
    model_name="other",
    backend="llama.cpp",
    use_thinking_mode="true",
    max_steps=4,
    step_tokens=128,
    thought_budget=512,
    max_seq_len=4096,
    kv_cache_quantization="int8",
    chunked_prefill=False,
    prefill_chunk_size=64,
    image_max_tokens=256,
    vram_limit_gib=2.5,
    streaming=False,
    language="zh_CN",
    theme="dark",
    show_history=True,
)


def fill(dialog: SettingsDialog, settings: Settings) -> None:
    """Set each widget as a person would."""
    for field in fields(Settings):
        if field.name == "model_places":
            continue
        widget, value = dialog.field(field.name), getattr(settings, field.name)
        if isinstance(widget, QComboBox):
            widget.setCurrentIndex(widget.findData(value))
        elif isinstance(widget, QCheckBox):
            widget.setChecked(value)
        elif isinstance(widget, QLineEdit):
            widget.setText(value)
        else:
            assert isinstance(widget, QSpinBox | QDoubleSpinBox)
            widget.setValue(value)


def words_of(answer: AnswerMessage) -> str:
    """The text that an answer shows."""
    return "".join(pane.toPlainText() for pane in answer.body.panes())


@pytest.fixture
def dialog(qtbot: QtBot) -> SettingsDialog:
    dialog = SettingsDialog(Settings())
    qtbot.addWidget(dialog)
    return dialog


def test_every_key_of_the_file_has_its_field(dialog: SettingsDialog) -> None:
    for field in fields(Settings):
        if field.name != "model_places":
            assert dialog.field(field.name) is not None


def test_what_is_shown_untouched_is_what_was_set(qtbot: QtBot) -> None:
    for settings in (Settings(), OTHER, Settings(backend="fake", model_places=("/models",))):
        dialog = SettingsDialog(settings)
        qtbot.addWidget(dialog)
        assert dialog.settings == settings


def test_all_fields_are_read(dialog: SettingsDialog) -> None:
    fill(dialog, OTHER)
    assert dialog.settings == OTHER


def test_saving_without_a_change_says_nothing(dialog: SettingsDialog, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(dialog.chosen):
        dialog.accept()


def test_as_at_first_shows_the_defaults_and_keeps_opened_places(qtbot: QtBot) -> None:
    dialog = SettingsDialog(Settings(max_steps=9, vram_limit_gib=1.0, model_places=("/models",)))
    qtbot.addWidget(dialog)
    buttons = dialog.findChild(QDialogButtonBox)
    (reset,) = (
        b for b in buttons.buttons() if buttons.buttonRole(b) is QDialogButtonBox.ButtonRole.ResetRole
    )
    reset.click()
    assert dialog.settings == Settings(model_places=("/models",))


def test_the_dialog_changes_the_window_and_the_file(desktop: Desktop, qtbot: QtBot) -> None:
    qtbot.keyClick(desktop.window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    dialog = desktop.window.findChild(SettingsDialog)
    fill(dialog, OTHER)
    dialog.accept()
    assert load_settings().settings == OTHER
    assert yaml.safe_load(paths.settings_file().read_text())["streaming"] is False
    assert desktop.language.language == "zh_CN"
    assert desktop.session.settings == OTHER
    assert desktop.session.models.choice.model == "other"


def test_without_streaming_the_answer_is_shown_when_it_is_complete(
    open_desktop: Callable[..., Desktop], qtbot: QtBot
) -> None:
    desktop = open_desktop(Settings(language="en", theme="light", streaming=False))
    script = script_of(desktop)
    script.be_ready()
    ask(desktop, "What is it?")
    answer = desktop.window.view.shown_answer(desktop.session.chat.messages[-1].message_id)
    assert answer is not None
    script.say("It is ")
    qtbot.wait(50)
    assert "It is" not in words_of(answer)
    script.say("a cat.")
    script.finish("It is a cat.")
    qtbot.waitUntil(lambda: "It is a cat." in words_of(answer))
