"""A request that did not fit: why, and a button for each thing that the window can do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from desktopapp.app import Desktop
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.request import BackendChoice, MemoryLimits
from desktopapp.errors import AppError, DoesNotFit, MemoryExhausted, NoModel
from desktopapp.settings import Settings
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.error_card import ErrorCard
from desktopapp.ui.remedy_actions import changed_settings, offers_of, read_notes
from tests.gui.scripted_worker import ScriptedWorker, script_of
from tests.gui.window_actions import ask, drop, files, roles

GIB = 2**30
RAISE = PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": GIB // 2, "free_bytes": 20 * GIB})
RAISE_TOO = replace(RAISE, code=NoteCode.AUTOMATIC_AND_RAISED)
USE = PlanNote(NoteCode.USE_MODEL, {"model": "small", "backend": "llama.cpp"})


def refusal(*remedies: PlanNote, conflicts: tuple[PlanNote, ...] = ()) -> DoesNotFit:
    parts = {"weights": 8 * GIB, "kv_cache": 2 * GIB, "vision": 0, "workspace": GIB, "overhead": GIB}
    return DoesNotFit(
        model="4B",
        needed_gib="12.00",
        limit_gib="10.00",
        missing_gib="2.00",
        device="GPU",
        remedies="Do something.",
        remedy_notes=as_json(remedies),
        conflict_notes=as_json(conflicts),
        parts=msgspec.json.encode(parts).decode(),
    )


def as_json(notes: tuple[PlanNote, ...]) -> str:
    return msgspec.json.encode(notes).decode()


def refused(desktop: Desktop, error: AppError) -> ErrorCard:
    ask(desktop, "What is this?")
    script_of(desktop).fail(error)
    answer = desktop.window.view.message(desktop.session.chat.messages[-1].message_id)
    assert isinstance(answer, AnswerMessage)
    assert answer.error_card is not None
    return answer.error_card


def button(card: ErrorCard, words: str) -> QPushButton:
    (found,) = [one for one in card.remedy_buttons if words in one.text()]
    return found


def test_without_a_model_a_button_leads_to_the_models_that_can_be_had(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr(desktop.session.models.getting, "open", lambda *given: opened.append(given))
    card = refused(desktop, NoModel(folder="/models"))
    button(card, "Get a model").click()
    assert opened == [(MemoryLimits(), "")]
    assert roles(desktop) == ["user:sent", "assistant:failed"]


def test_a_button_changes_the_setting_and_sends_again(desktop: Desktop) -> None:
    desktop.session._on_limit_chosen(10.0)
    card = refused(desktop, refusal(RAISE))
    desktop.window.composer.set_text("already the next question")
    button(card, "Raise the ceiling").click()
    worker = script_of(desktop)
    assert desktop.session.settings.vram_limit_gib == 10.5
    assert worker.requests[-1].choice.memory.vram_limit_bytes == round(10.5 * GIB)
    assert worker.requests[-1].turns[-1].text == "What is this?"
    assert roles(desktop) == ["user:sent", "assistant:running"]
    assert desktop.window.composer.draft.text == "already the next question"


def test_an_automatic_kv_cache_is_one_press_away(desktop: Desktop) -> None:
    session = desktop.session
    session._on_settings_changed(Settings(kv_cache_quantization="none", prefill_chunk_size=4096))
    card = refused(desktop, refusal(PlanNote(NoteCode.AUTOMATIC_KV), PlanNote(NoteCode.AUTOMATIC_CHUNK)))
    button(card, "KV cache").click()
    assert session.settings.kv_cache_quantization == "auto"
    assert script_of(desktop).requests[-1].choice.memory.kv_type == "auto"
    assert session.settings.prefill_chunk_size == 4096


def test_another_model_answers_the_same_question(desktop: Desktop) -> None:
    desktop.session._on_settings_changed(Settings(backend="transformers"))
    card = refused(desktop, refusal(USE))
    button(card, "Use small").click()
    choice = script_of(desktop).requests[-1].choice
    assert (choice.model, choice.backend) == ("small", BackendChoice.LLAMA_CPP)
    assert desktop.session.settings.model_name == "small"
    assert desktop.session.settings.backend == "auto"


def test_a_question_comes_back_behind_what_is_being_written(desktop: Desktop) -> None:
    card = refused(desktop, refusal(PlanNote(NoteCode.SHORTER_TEXT), PlanNote(NoteCode.SMALLER_FILES)))
    desktop.window.composer.set_text("next")
    button(card, "Edit the message").click()
    assert desktop.window.composer.draft.text == "next\n\nWhat is this?"
    assert len(script_of(desktop).requests) == 1


def test_the_card_says_why_when_asked(desktop: Desktop) -> None:
    conflict = PlanNote(NoteCode.OTHER_PROGRAMS, {"other_bytes": 6 * GIB, "device": "RTX"})
    card = refused(desktop, refusal(conflicts=(conflict,)))
    assert card.why.isHidden()
    card.why_button.click()
    assert not card.why.isHidden()
    assert "Weights 8.0 GiB, KV cache 2.0 GiB" in card.why.text()
    assert "6.0 GiB" in card.why.text().splitlines()[1]


def test_an_ordinary_error_has_neither(desktop: Desktop) -> None:
    card = refused(
        desktop,
        DoesNotFit(
            **dict.fromkeys(("needed_gib", "limit_gib"), "")
            | {"missing_gib": "", "device": "", "remedies": ""}
        ),
    )
    assert not card.remedy_buttons
    assert card.why_button.isHidden()


@pytest.mark.parametrize(
    "text", ["", "{", '[{"code": 5}]', '[{"code": "of_a_newer_version", "figures": {}}]']
)
def test_notes_that_cannot_be_read_offer_nothing(text: str) -> None:
    assert not offers_of("DoesNotFit", {"remedy_notes": text})


def test_settings_that_are_in_the_way_together_are_changed_together() -> None:
    wide = Settings(kv_cache_quantization="none", chunked_prefill=False, vram_limit_gib=10.0)
    automatic = Settings(vram_limit_gib=10.0)
    assert changed_settings(PlanNote(NoteCode.AUTOMATIC_SETTINGS), wide) == automatic
    assert changed_settings(RAISE_TOO, wide) == Settings(vram_limit_gib=10.5)
    assert changed_settings(PlanNote(NoteCode.AUTOMATIC_SETTINGS), automatic) is None


def test_a_model_whose_memory_lies_in_pieces_is_loaded_anew(desktop: Desktop) -> None:
    card = refused(desktop, refusal(PlanNote(NoteCode.RELOAD_MODEL, {"unused_bytes": GIB})))
    button(card, "Load the model anew").click()
    worker = script_of(desktop)
    assert worker.unloads == 1
    assert [request.turns[-1].text for request in worker.requests] == ["What is this?"] * 2


def test_a_ceiling_is_not_raised_above_what_is_free() -> None:
    note = PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": 3 * GIB, "free_bytes": 11 * GIB})
    (read,) = read_notes(as_json((note,)))
    changed = changed_settings(read, Settings(vram_limit_gib=10.0))
    assert changed is not None
    assert changed.vram_limit_gib == 11.0


def settled(desktop: Desktop) -> ScriptedWorker:
    """The worker, once it was asked what the draft of now costs."""
    QApplication.processEvents()
    QApplication.processEvents()
    return script_of(desktop)


def sent_again(desktop: Desktop) -> None:
    """Press Send, as the person does behind a button that only prepared the message."""
    worker = settled(desktop)
    worker.answer_draft()
    before = len(worker.requests)
    desktop.window.composer.edit.submitted.emit()
    assert len(worker.requests) == before + 1


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (RAISE, "Raise the ceiling"),
        (PlanNote(NoteCode.AUTOMATIC_KV), "KV cache"),
        (PlanNote(NoteCode.AUTOMATIC_CHUNK), "smaller chunks"),
        (PlanNote(NoteCode.AUTOMATIC_SETTINGS), "settings to automatic"),
        (RAISE_TOO, "settings to automatic"),
        (USE, "Use small"),
    ],
)
def test_each_setting_is_applied_priced_and_sent_and_the_draft_stays(
    desktop: Desktop, note: PlanNote, words: str
) -> None:
    before = Settings(
        kv_cache_quantization="none", prefill_chunk_size=4096, backend="transformers", vram_limit_gib=10.0
    )
    desktop.session._on_settings_changed(before)
    card = refused(desktop, refusal(note))
    desktop.window.composer.set_text("already the next question")
    worker = settled(desktop)
    drafts, choice = len(worker.drafts), worker.drafts[-1].choice
    button(card, words).click()
    if note is USE:
        worker.be_ready()
    settled(desktop)
    assert len(worker.drafts) > drafts
    assert worker.drafts[-1].choice != choice
    assert worker.requests[-1].choice == worker.drafts[-1].choice
    assert desktop.window.composer.draft.text == "already the next question"
    worker.finish("Now it fits.")
    sent_again(desktop)
    assert worker.requests[-1].turns[-1].text == "already the next question"


@pytest.mark.parametrize(
    ("fitting", "words", "kept"),
    [
        (2, "Leave the last file out", ["a.png", "b.png"]),
        (1, "Leave the last 2 files out", ["a.png"]),
        (0, "Leave the files out", []),
    ],
)
def test_files_that_are_too_many_are_left_out(
    desktop: Desktop, make_png: Callable[..., str], fitting: int, words: str, kept: list[str]
) -> None:
    note = PlanNote(NoteCode.FEWER_FILES, {"fitting": fitting, "files": 3})
    drop(desktop, files(*(make_png(f"{name}.png") for name in "abc")))
    card = refused(desktop, refusal(note if fitting else PlanNote(NoteCode.TEXT_ALONE)))
    button(card, words).click()
    composer = desktop.window.composer
    assert [Path(path).name for path in composer.strip.paths] == kept
    assert composer.draft.text == "What is this?"
    priced = [Path(one.path).name for one in settled(desktop).drafts[-1].turns[-1].attachments]
    assert priced == kept
    sent_again(desktop)
    sent = script_of(desktop).requests[-1].turns[-1]
    assert [Path(one.path).name for one in sent.attachments] == kept
    assert sent.text == "What is this?"


def test_files_of_earlier_messages_are_not_taken_from_this_one(
    desktop: Desktop, make_png: Callable[..., str]
) -> None:
    drop(desktop, files(make_png("a.png")))
    card = refused(desktop, refusal(PlanNote(NoteCode.FEWER_FILES, {"fitting": 1, "files": 3})))
    button(card, "Leave the last 2").click()
    assert [Path(path).name for path in desktop.window.composer.strip.paths] == ["a.png"]


@pytest.mark.parametrize("code", [NoteCode.SMALLER_FILES, NoteCode.SHORTER_TEXT])
def test_a_long_conversation_is_left_for_a_new_one(desktop: Desktop, code: NoteCode) -> None:
    ask(desktop, "first")
    script_of(desktop).finish("answer")
    card = refused(desktop, refusal(PlanNote(code)))
    desktop.window.composer.set_text("next")
    button(card, "new conversation").click()
    assert roles(desktop) == []
    assert desktop.window.composer.draft.text == "next\n\nWhat is this?"
    sent_again(desktop)
    assert [turn.text for turn in script_of(desktop).requests[-1].turns] == ["next\n\nWhat is this?"]


def test_another_model_can_be_picked(desktop: Desktop) -> None:
    card = refused(desktop, refusal(PlanNote(NoteCode.PICK_SMALLER_MODEL)))
    button(card, "Pick another model").click()
    picker = desktop.window.picker
    assert picker.model_list.isVisible()
    desktop.session.models.use("small", BackendChoice.AUTO)
    picker.model_list.hide()
    card.retry_button.click()
    assert script_of(desktop).requests[-1].choice.model == "small"
    assert script_of(desktop).requests[-1].turns[-1].text == "What is this?"


@pytest.mark.parametrize("with_notes", [False, True])
def test_the_end_of_the_ladder_has_buttons(desktop: Desktop, with_notes: bool) -> None:
    ask(desktop, "What is this?")
    figures = dict.fromkeys(("what", "needed_gib", "limit_gib", "device"), "1")
    notes = {"remedy_notes": as_json((USE,))} if with_notes else {}
    script_of(desktop).fail(MemoryExhausted(**figures, remedies="Close something.", tries=3, **notes))
    answer = desktop.window.view.message(desktop.session.chat.messages[-1].message_id)
    assert isinstance(answer, AnswerMessage)
    assert answer.error_card is not None
    labels = [one.text() for one in answer.error_card.remedy_buttons]
    always = ["Pick another model", "Edit the message", "Ask in a new conversation"]
    assert labels == (["Use small"] if with_notes else always)


def test_a_button_pressed_while_another_answer_runs_loses_nothing(desktop: Desktop) -> None:
    card = refused(desktop, refusal(PlanNote(NoteCode.AUTOMATIC_CHUNK)))
    ask(desktop, "Another one")
    button(card, "smaller chunks").click()
    assert desktop.window.composer.draft.text == "What is this?"
    assert len(script_of(desktop).requests) == 2
