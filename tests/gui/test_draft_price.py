"""The price of a draft: on each card, as a whole in the composer, as a mark in the gauge; and when it is asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.attachment_errors import ImageDamaged
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.price_events import DraftPriced, PlannedAttachment
from desktopapp.settings import Settings
from desktopapp.ui.conversation.footer import AnswerFooter
from tests.gui.scripted_worker import ScriptedWorker, script_of
from tests.gui.window_actions import ask, drop, files

MakePng = Callable[..., str]
GIB = 2**30


def settle() -> None:
    """Let questions that wait for the end of the event loop's turn be asked."""
    QApplication.processEvents()
    QApplication.processEvents()


def priced(desktop: Desktop, *paths: str, **changes: object) -> ScriptedWorker:
    """A window in which these files were dropped and priced."""
    worker = script_of(desktop)
    drop(desktop, files(*paths))
    settle()
    worker.answer_draft(**changes)
    return worker


def test_each_card_shows_tokens_and_memory_the_moment_it_is_dropped(
    desktop: Desktop, make_png: MakePng
) -> None:
    priced(desktop, make_png("a.png"), make_png("b.png"))
    described = [card.accessibleDescription() for card in desktop.window.composer.strip.cards]
    assert ["2,040 tokens, + 0.3 GiB" in words for words in described] == [True, True]


def test_the_composer_shows_the_total_and_that_it_fits(desktop: Desktop, make_png: MakePng) -> None:
    priced(desktop, make_png("a.png"), make_png("b.png"))
    composer = desktop.window.composer
    assert composer.price_text == "Fits · 4,110 tokens, peak 7.0 GiB of 8.0 GiB"
    assert not composer._price._icon.pixmap().isNull()
    composer.clear()
    settle()
    assert composer.price_text == ""
    assert composer.planned is None


def test_files_that_cannot_be_used_are_said_instead_of_fits(desktop: Desktop, make_png: MakePng) -> None:
    priced(desktop, make_png("a.png"), make_png("b.png"))
    composer = desktop.window.composer
    first, second = composer.strip.cards
    first.show_problem("damaged")
    assert composer.price_text == "1 file cannot be used"
    assert composer._price._text.property("role") == "danger"
    second.show_problem("damaged")
    assert composer.price_text == "2 files cannot be used"
    for card in (first, second):
        card.show_problem("")
    assert composer.price_text.startswith("Fits")
    composer.show_planned(None)
    assert composer.price_text == ""
    first.show_problem("damaged")
    assert composer.price_text == "1 file cannot be used"
    composer.strip.remove(first.path)
    assert composer.price_text == ""


def test_what_does_not_fit_is_said_with_the_shortfall_and_the_remedies(
    desktop: Desktop, make_png: MakePng
) -> None:
    notes = (PlanNote(NoteCode.FEWER_FILES, {"fitting": 3, "files": 4}), PlanNote("of a later version"))
    priced(desktop, make_png(), fits=False, remedy_notes=notes)
    line = desktop.window.composer._price
    assert line.text.startswith("Does not fit: 1.0 GiB too much")
    assert "Attach fewer files: 3 of the 4 fit." in line._text.toolTip()
    assert "Attach fewer files: 3 of the 4 fit." in line._text.accessibleDescription()
    assert line._text.property("role") == "danger"


def test_a_long_document_that_does_not_fit_is_answered_in_parts(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(b"x")
    for size_bytes, words in (
        (2 * GIB, "Too much at once, so it is answered in parts"),
        (GIB // 2, "Does not fit"),
    ):
        desktop.window.composer.clear()
        settle()
        part = PlannedAttachment(str(path), 100_000, size_bytes, (992, 1403), pages=70)
        priced(desktop, str(path), fits=False, attachments=(part,))
        assert desktop.window.composer._price.text.startswith(words)


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        (61, "Too much at once, so it is answered in parts"),
        (None, "Too long: 2,070 tokens, and the model reads"),
    ],
)
def test_what_the_model_s_context_does_not_hold_is_no_fit(
    pages: int | None, words: str, desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(b"x")
    part = PlannedAttachment(str(path), 100_000, GIB, (992, 1403), pages=pages)
    priced(desktop, str(path), fits=False, attachments=(part,), peak_bytes=5 * GIB)
    assert desktop.window.composer._price.text.startswith(words)


def test_what_was_given_up_is_named(desktop: Desktop, make_png: MakePng) -> None:
    priced(desktop, make_png(), steps_taken=("some_new_step",), kv_type="int8")
    line = desktop.window.composer._price
    assert line.text.startswith("Fits with some new step ·")
    assert "KV cache in 8 bits" in line._text.accessibleDescription()


def test_the_gauge_marks_the_draft_s_peak_and_then_that_of_the_run(
    desktop: Desktop, make_png: MakePng, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[int | None] = []
    monkeypatch.setattr(desktop.window.status.gauge, "show_planned", marks.append)
    worker = priced(desktop, make_png())
    assert marks[-1] == 7 * GIB
    composer = desktop.window.composer
    composer.edit.setPlainText("What?")
    composer.edit.submitted.emit()
    worker.planned.emit(worker.plan(worker.requests[-1], peak_bytes=5 * GIB))
    settle()
    assert marks[-1] == 5 * GIB
    worker.finish("That.")
    settle()
    assert marks[-1] is None


def test_a_hundred_files_are_one_question(desktop: Desktop, tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{number}.png") for number in range(100)]
    drop(desktop, files(*paths))
    settle()
    (request,) = script_of(desktop).drafts
    assert [attachment.path for attachment in request.turns[-1].attachments] == paths


def test_the_price_follows_settings_and_model(desktop: Desktop, make_png: MakePng) -> None:
    worker = priced(desktop, make_png())
    menu = desktop.window.settings_menu
    for changes in ({"kv_cache_quantization": "int8"}, {"image_max_tokens": 256}):
        asked = len(worker.drafts)
        menu._fill()
        (field, value) = next(iter(changes.items()))
        action = next(
            action for group in menu._groups for action in group.actions() if action.data() == (field, value)
        )
        action.trigger()
        settle()
        assert len(worker.drafts) == asked + 1
    assert worker.drafts[-1].choice.memory.kv_type == "int8"
    assert worker.drafts[-1].choice.memory.image_max_tokens == 256
    asked = len(worker.drafts)
    worker.be_ready()
    settle()
    assert len(worker.drafts) == asked + 1


def test_the_conversation_before_it_counts(desktop: Desktop, qtbot: QtBot) -> None:
    ask(desktop, "one")
    worker = script_of(desktop)
    worker.finish("first")
    desktop.window.composer.set_text("two")
    qtbot.waitUntil(lambda: bool(worker.drafts) and worker.drafts[-1].turns[-1].text == "two")
    assert [turn.text for turn in worker.drafts[-1].turns] == ["one", "first", "two"]


def test_a_file_that_cannot_be_read_does_not_hide_the_price_of_the_others(
    desktop: Desktop, make_png: MakePng
) -> None:
    good, bad = make_png("good.png"), make_png("bad.png")
    drop(desktop, files(good, bad))
    worker = script_of(desktop)
    worker.answer_prices(errors={"bad.png": ImageDamaged(name="bad.png")})
    settle()
    assert [attachment.path for attachment in worker.drafts[-1].turns[-1].attachments] == [good]
    worker.answer_draft()
    assert "+ 0.3 GiB" in desktop.window.composer.strip.card(good).accessibleDescription()
    assert "damaged" in desktop.window.composer.strip.card(bad).accessibleDescription()


def test_an_answer_to_an_older_question_is_left_alone(desktop: Desktop, make_png: MakePng) -> None:
    worker = priced(desktop, make_png("a.png"))
    older = worker.drafts[-1]
    drop(desktop, files(make_png("b.png")))
    settle()
    worker.draft_priced.emit(DraftPriced(older.request_id, None))
    assert desktop.window.composer.planned is not None
    worker.draft_priced.emit(DraftPriced(worker.drafts[-1].request_id, None))
    assert desktop.window.composer.planned is None
    assert "GiB" not in desktop.window.composer.strip.cards[0].accessibleDescription()


def test_a_pasted_picture_is_priced_when_it_is_written(
    desktop: Desktop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtGui import QImage

    worker = script_of(desktop)
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(0)
    monkeypatch.setattr(desktop.session._loader, "save", lambda image, path: None)
    desktop.session.intake.take_image(image)
    settle()
    assert worker.drafts == []
    (path,) = desktop.window.composer.strip.paths
    desktop.session._loader.pasted.emit(path, True)
    settle()
    assert [attachment.path for attachment in worker.drafts[-1].turns[-1].attachments] == [path]


def test_the_price_speaks_chinese(open_desktop: Callable[..., Desktop], make_png: MakePng) -> None:
    desktop = open_desktop(Settings(language="zh_CN"))
    script_of(desktop).be_ready()
    priced(desktop, make_png())
    assert desktop.window.composer.price_text


def test_an_answer_s_details_show_planned_against_measured_memory(desktop: Desktop, qtbot: QtBot) -> None:
    ask(desktop, "one")
    worker = script_of(desktop)
    worker.finish("first", peak_bytes=5 * GIB, planned_peak_bytes=5 * GIB + GIB // 4)
    footer = desktop.window.view.findChild(AnswerFooter)
    assert footer.details.isHidden()
    footer.details_button.setFocus()
    qtbot.keyClick(footer.details_button, Qt.Key.Key_Return)
    assert footer.details.isVisible()
    assert "Peak memory: 5.00 GiB, planned 5.25 GiB (+5.0 %)" in footer.details.text()
    assert footer.details_button.accessibleName() == "Hide details"
    footer.details_button.click()
    assert footer.details.isHidden()


def test_a_closed_window_asks_nothing_more(desktop: Desktop) -> None:
    worker = script_of(desktop)
    settle()
    asked = len(worker.drafts)
    desktop.window.composer.set_text("typed in the last moment")
    desktop.close()
    desktop.session.pricer.ask()
    settle()
    assert len(worker.drafts) == asked
