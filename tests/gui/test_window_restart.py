"""The whole window with a scripted worker: restart, damage, models, settings."""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop, Options, _override
from desktopapp.engine.events import Failed
from desktopapp.errors import NoModel
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from desktopapp.settings import LoadedSettings, Settings, load_settings
from desktopapp.ui.conversation.footer import AnswerFooter
from desktopapp.ui.model_rows import rows_of
from tests.desktop import opened_desktop
from tests.gui.scripted_worker import ScriptedWorker, script_of
from tests.gui.window_actions import ask, drop, files

MakePng = Callable[..., str]
OpenDesktop = Callable[..., Desktop]
THINKER = str(Path(__file__).parents[2] / "models" / "qwen3-vl" / "qwen3-vl-pocket-thinking")


def test_restart_brings_conversation_and_draft_back(open_desktop: OpenDesktop, make_png: MakePng) -> None:
    desktop, path = open_desktop(), make_png()
    script_of(desktop).be_ready()
    ask(desktop, "one")
    script_of(desktop).finish("first", "thinking")
    desktop.window.composer.set_text("unsent")
    drop(desktop, files(path))
    desktop.window.close()
    again = open_desktop()
    assert [message.text for message in again.session.chat.messages] == ["one", "first"]
    assert again.window.composer.draft.text == "unsent"
    assert again.window.composer.strip.paths == (path,)
    assert again.window.windowTitle().startswith("one - ")
    assert "23.4 tokens/s" in again.window.view.findChild(AnswerFooter).label.text()
    ask(again, "two")
    assert [turn.text for turn in script_of(again).requests[0].turns] == ["one", "first", "two"]


def test_half_streamed_answer_comes_back_marked_and_queued_messages_come_back_as_draft(
    open_desktop: OpenDesktop, qtbot: QtBot
) -> None:
    desktop = open_desktop()
    ask(desktop, "one")
    script_of(desktop).say("half an answer")
    ask(desktop, "queued")
    # What a crash leaves: the debounced write happened, nothing was closed.
    saved = "SELECT count(*) FROM message WHERE body LIKE '%half an answer%'"

    def is_saved() -> bool:
        connection = sqlite3.connect(paths.conversations_file())
        try:
            return bool(connection.execute(saved).fetchone()[0])
        finally:
            connection.close()

    qtbot.waitUntil(is_saved)
    again = open_desktop()
    answer = again.session.chat.messages[1]
    assert answer.text == "half an answer"
    assert answer.error is not None
    assert answer.error.error == "AnswerInterrupted"
    assert again.window.composer.draft.text == "queued"
    assert script_of(again).requests == []


def test_answer_that_ran_when_the_window_was_closed_comes_back_as_stopped(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(desktop, "one")
    script_of(desktop).say("half an answer")
    ask(desktop, "queued")
    desktop.window.close()
    again = open_desktop()
    answer = again.session.chat.messages[1]
    assert (answer.text, answer.finish_reason, answer.error) == ("half an answer", "cancelled", None)
    assert again.window.composer.draft.text == "queued"
    assert script_of(again).requests == []


def test_damaged_file_is_set_aside_with_a_notice(open_desktop: OpenDesktop) -> None:
    file = paths.conversations_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(b"garbage" * 1000)
    desktop = open_desktop()
    assert "damaged" in desktop.window.notices.notices[0].message
    assert list(file.parent.glob("conversations.damaged-*"))
    ask(desktop, "still works")
    assert len(script_of(desktop).requests) == 1


def test_unwritable_folder_leaves_a_window_that_works(
    open_desktop: OpenDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "conversations_file", lambda: tmp_path / "file" / "c.sqlite3")
    desktop = open_desktop()
    assert "cannot be saved" in desktop.window.notices.notices[0].message
    ask(desktop, "still works")
    assert len(script_of(desktop).requests) == 1


def test_load_failure_is_a_notice_and_goes_when_another_model_loads(desktop: Desktop, qtbot: QtBot) -> None:
    worker = script_of(desktop)
    worker.failed.emit(Failed.from_error("", NoModel(folder="/models")))
    (notice,) = desktop.window.notices.notices
    assert notice.message == "No usable model is here yet."
    assert "/models" in notice.remedy
    desktop.window.picker.place_opened.emit(THINKER)
    qtbot.waitUntil(lambda: worker.loads[-1].model == THINKER)
    assert desktop.window.notices.notices == []
    assert worker.loads[-1].mode == "thinking"
    assert load_settings().settings.model_places == (THINKER,)


def test_a_place_without_a_model_is_refused_and_the_model_in_use_stays(
    desktop: Desktop, qtbot: QtBot, tmp_path: Path
) -> None:
    worker = script_of(desktop)
    desktop.window.picker.chosen.emit(rows_of(_two_forms())[0])
    desktop.window.picker.place_opened.emit(str(tmp_path))
    qtbot.waitUntil(lambda: bool(desktop.window.notices.notices))
    assert str(tmp_path) in desktop.window.notices.notices[0].message
    assert worker.loads[-1].model == "pair"
    assert (load_settings().settings.model_name, load_settings().settings.model_places) == ("pair", ())
    desktop.window.picker.place_opened.emit(THINKER)
    qtbot.waitUntil(lambda: worker.loads[-1].model == THINKER)
    assert desktop.window.notices.notices == []


def test_a_picked_model_is_pinned_until_the_menu_says_automatic(desktop: Desktop) -> None:
    worker, picker = script_of(desktop), desktop.window.picker
    assert worker.loads[-1].mode == "auto"
    thinker = replace(_two_forms()[0], name="thinker", folder=Path("/m/t"), kind=ModelKind.THINKING)
    picker.show_models([*_two_forms(), thinker])
    for row in picker.rows:
        if not row.problem:
            picker.chosen.emit(row)
            ask(desktop, "Read the text")
            worker.finish("done")
            assert worker.requests[-1].choice.model == row.model
            assert worker.requests[-1].choice.mode == row.variant
    assert load_settings().settings.use_thinking_mode == "true"
    menu = desktop.window.settings_menu
    menu.menu().aboutToShow.emit()
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    assert actions["use_thinking_mode", "true"].isChecked()
    actions["use_thinking_mode", "auto"].trigger()
    ask(desktop, "Read the text")
    assert worker.requests[-1].choice.mode == "auto"


def test_a_model_of_the_command_line_answers_itself(qapp: QApplication, qtbot: QtBot) -> None:
    settings = Settings(language="en", theme="light", use_thinking_mode="true")
    loaded = _override(LoadedSettings(settings), Options(model="mine"))
    worker = ScriptedWorker()
    with opened_desktop(qapp, qtbot, worker, loaded) as desktop:
        assert (worker.loads[-1].model, worker.loads[-1].mode) == ("mine", None)
        desktop.window.settings_menu.changed.emit(replace(loaded.settings, theme="dark"))
        ask(desktop, "one")
        assert worker.requests[-1].choice.mode is None
        worker.finish("first")
        desktop.window.settings_menu.changed.emit(replace(loaded.settings, use_thinking_mode="auto"))
        ask(desktop, "two")
        assert worker.requests[-1].choice.mode == "auto"


def test_the_picker_names_the_model_that_answers(desktop: Desktop) -> None:
    worker, picker = script_of(desktop), desktop.window.picker
    tiny = replace(_two_forms()[0], name="tiny", folder=Path("/m/tiny"), files=_two_forms()[0].files[:1])
    picker.show_models([*_two_forms(), tiny])
    (form,) = [row for row in picker.rows if row.model == "/m/pair/q8.gguf"]
    picker.chosen.emit(form)
    assert picker.current == form
    worker.be_ready()  # as the other one of a pair does where the task chooses
    assert picker.current is not None
    assert picker.current.model == "tiny"
    picker.chosen.emit(form)
    assert picker.current == form


def test_random_weights_are_said_while_such_a_model_is_loaded(desktop: Desktop) -> None:
    note = desktop.window._random_note
    assert not note.isVisible()
    script_of(desktop).be_ready(random_weights=True)
    assert note.isVisible()
    script_of(desktop).be_ready()
    assert not note.isVisible()


def test_switching_models_takes_effect_with_the_next_answer(desktop: Desktop) -> None:
    worker = script_of(desktop)
    ask(desktop, "one")
    worker.finish("first")
    desktop.window.picker.setFocus()
    desktop.window.picker.chosen.emit(rows_of(_two_forms())[2])
    assert QApplication.focusWidget() is desktop.window.composer.edit
    assert worker.loads[-1].model == "/m/pair/q8.gguf"
    assert worker.loads[-1].backend == "llama.cpp"
    ask(desktop, "two")
    assert worker.requests[1].choice.model == "/m/pair/q8.gguf"
    assert len(worker.requests[1].turns) == 3


def test_settings_menu_changes_theme_language_and_thinking(desktop: Desktop) -> None:
    menu = desktop.window.settings_menu
    menu.menu().aboutToShow.emit()
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    actions["theme", "dark"].trigger()
    assert desktop.theme.colors.window == "#1a1a19"
    actions = {action.data(): action for group in menu._groups for action in group.actions()}
    actions["use_thinking_mode", "true"].trigger()
    assert script_of(desktop).loads[-1].mode == "thinking"
    assert load_settings().settings == Settings(theme="dark", use_thinking_mode="true", language="en")


def test_problems_of_the_settings_file_are_notices(
    open_desktop: OpenDesktop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(exist_ok=True)
    paths.settings_file().write_text("theme: pink\n")
    desktop = open_desktop(load_settings().settings)
    desktop.close()
    assert load_settings().problems


def _two_forms() -> list[InstalledModel]:
    folder = Path("/m/pair")
    forms = (
        ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 8_000_000_000),
        ModelFiles(WeightFormat.GGUF, folder / "q8.gguf", folder / "mmproj.gguf", "Q8_0", 4_000_000_000),
    )
    return [InstalledModel("pair", folder, ModelKind.INSTRUCT, "pair", forms)]


def test_figures_of_another_version_are_left_out(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(desktop, "one")
    script_of(desktop).finish("first")
    desktop.window.close()
    with sqlite3.connect(paths.conversations_file()) as connection:
        connection.execute("UPDATE message SET body = replace(body, '\"new_tokens\"', '\"newer\"')")
    connection.close()
    footer = open_desktop().window.view.findChild(AnswerFooter)
    assert footer.label.text() == ""


def test_pasted_pictures_that_nothing_shows_are_removed_a_day_later(open_desktop: OpenDesktop) -> None:
    folder = paths.pasted_dir()
    folder.mkdir(parents=True)
    desktop = open_desktop()
    desktop.session.saver._writer.submit(lambda: None).result()  # what this start cleans is done
    for name in ("sent.png", "attached.png", "unused.png", "young.png", "half.png.part", "of the person.txt"):
        (folder / name).write_bytes(b"x")
        if name != "young.png":
            os.utime(folder / name, (0, 0))
    desktop.session.intake.take_paths([str(folder / "sent.png")])
    ask(desktop, "one")
    desktop.session.intake.take_paths([str(folder / "attached.png")])
    desktop.window.close()
    open_desktop().window.close()
    names = {file.name for file in folder.iterdir()}
    assert names == {"young.png", "of the person.txt", "sent.png", "attached.png"}


def test_pasted_pictures_stay_while_a_damaged_file_may_be_mended(
    open_desktop: OpenDesktop,
) -> None:
    folder = paths.pasted_dir()
    folder.mkdir(parents=True)
    (folder / "old.png").write_bytes(b"x")
    os.utime(folder / "old.png", (0, 0))
    paths.conversations_file().write_bytes(b"no database " * 100)
    open_desktop().window.close()
    assert (folder / "old.png").exists()
