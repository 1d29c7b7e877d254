"""A request that did not fit: why, and a button for each thing that the window can do about it."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtWidgets import QPushButton

from desktopapp.app import Desktop
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.request import BackendChoice
from desktopapp.errors import DoesNotFit
from desktopapp.settings import Settings
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.error_card import ErrorCard
from desktopapp.ui.remedy_actions import changed_settings, offers_of, read_notes
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, roles

GIB = 2**30
RAISE = PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": GIB // 2, "free_bytes": 20 * GIB})
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


def refused(desktop: Desktop, error: DoesNotFit) -> ErrorCard:
    ask(desktop, "What is this?")
    script_of(desktop).fail(error)
    answer = desktop.window.view.message(desktop.session.chat.messages[-1].message_id)
    assert isinstance(answer, AnswerMessage)
    assert answer.error_card is not None
    return answer.error_card


def button(card: ErrorCard, words: str) -> QPushButton:
    (found,) = [one for one in card.remedy_buttons if words in one.text()]
    return found


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
    (edit,) = card.remedy_buttons
    edit.click()
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
    assert not offers_of({"remedy_notes": text})


def test_a_ceiling_is_not_raised_above_what_is_free() -> None:
    note = PlanNote(NoteCode.RAISE_CEILING, {"missing_bytes": 3 * GIB, "free_bytes": 11 * GIB})
    (read,) = read_notes(as_json((note,)))
    changed = changed_settings(read, Settings(vram_limit_gib=10.0))
    assert changed is not None
    assert changed.vram_limit_gib == 11.0
