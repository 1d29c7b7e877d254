"""Times that seek, a video that plays, looks that a model took, and a long job that goes on."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.attachment_errors import ImageDamaged
from desktopapp.engine.events import Channel, Failed, Finished, FinishReason, PreviewRead, TextAdded
from desktopapp.engine.media_events import StretchAnswered, ZoomedIn
from desktopapp.engine.request import AnsweredStretch, Stretch
from desktopapp.errors import OutOfMemory
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.blocks import Span, Style
from desktopapp.ui.conversation.seek_links import is_followable, link_times, seek_second
from desktopapp.ui.media.video_bar import FRAMES_PER_S
from tests.gui.conversation import STATS
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask

OpenDesktop = Callable[..., Desktop]


def question(desktop: Desktop, *paths: Path) -> str:
    for path in paths:
        path.write_bytes(b"x")
    desktop.session.intake.take_paths([str(path) for path in paths])
    ask(desktop, "What happens?")
    return script_of(desktop).requests[-1].request_id


def shown(desktop: Desktop) -> AnswerMessage:
    return list(desktop.window.view._answers.values())[-1]


def say(desktop: Desktop, request_id: str, text: str) -> None:
    script_of(desktop).text_added.emit(TextAdded(request_id, Channel.ANSWER, text))


def finish(desktop: Desktop, request_id: str, text: str, reason: FinishReason = FinishReason.STOP) -> None:
    script_of(desktop).finished.emit(Finished(request_id, text, "", reason, STATS))
    desktop.window.view.flush()


def show(desktop: Desktop, path: Path, position: float, width: int = 400, duration_s: float = 20.0) -> None:
    rgb = base64.b64encode(bytes([90, 120, 200]) * (width * 300)).decode()
    event = PreviewRead(str(path), position, width, 300, rgb, width * 2, 600, duration_s)
    script_of(desktop).preview_read.emit(event)


def test_times_become_links_and_nothing_else_does() -> None:
    spans = tuple(
        link_times((Span("At 0:12 it turns, until 1:02:03.", Style.BOLD), Span("0:05", Style.CODE)))
    )
    assert [(span.text, span.target) for span in spans] == [
        ("At ", ""),
        ("0:12", "seek:12.0"),
        (" it turns, until ", ""),
        ("1:02:03", "seek:3723.0"),
        (".", ""),
        ("0:05", ""),
    ]
    assert {span.style for span in spans[:5]} == {Style.BOLD}
    assert (seek_second("seek:12.5"), seek_second("https://a.org")) == (12.5, None)
    assert is_followable("https://a.org")
    assert not is_followable("file:///etc/passwd")


def test_a_time_in_the_text_shows_that_second(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    request_id = question(desktop, path)
    text = "First a title. The lid opens at 0:07, and shuts at 0:15.\n"
    say(desktop, request_id, text)
    finish(desktop, request_id, text)
    answer = shown(desktop)
    (pane,) = answer.body.panes()
    starts = [pane.toPlainText()[start:end] for start, end in pane.link_spans()]
    assert starts == ["0:07", "0:15"]
    pane.select_link(True)
    pane.select_link(True)
    QTest.keyClick(pane, Qt.Key.Key_Return)
    panel = answer.places.panel
    assert panel is not None
    assert panel.track.now_s == 15.0
    assert script_of(desktop).asked_previews[-1][1] == (15.0,)


def test_without_a_video_times_are_text(desktop: Desktop, tmp_path: Path) -> None:
    request_id = question(desktop, tmp_path / "clock.png")
    say(desktop, request_id, "It shows 10:08.")
    finish(desktop, request_id, "It shows 10:08.")
    assert [pane.link_spans() for pane in shown(desktop).body.panes()] == [[]]


def test_a_video_plays_from_the_second_that_is_shown(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    request_id = question(desktop, path)
    finish(desktop, request_id, "")
    say(desktop, request_id, "")
    second = question(desktop, path)
    say(desktop, second, "Look at 0:18.")
    finish(desktop, second, "Look at 0:18.")
    panel = shown(desktop).places.panel
    assert panel is not None
    bar = panel.video_bar
    show(desktop, path, 18.0, duration_s=19.0)
    QTest.mouseClick(bar.play_button, Qt.MouseButton.LeftButton)
    assert bar.is_playing
    wanted = script_of(desktop).asked_previews[-1][1]
    assert wanted == tuple(18 + number / FRAMES_PER_S for number in range(FRAMES_PER_S))
    bar.show_next()
    assert panel.track.now_s == 18.0  # nothing has come yet
    for position in wanted:
        if position != 18.5:  # cannot be read
            show(desktop, path, position, width=320)
    seen = []
    while bar.is_playing:
        bar.show_next()
        seen.append(panel.track.now_s)
    assert seen == [position for position in wanted if position != 18.5]
    assert panel.canvas.image.width() == 320


def test_playing_ends_where_nothing_comes_and_where_the_person_seeks(
    desktop: Desktop, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    request_id = question(desktop, path)
    say(desktop, request_id, "Look at 0:03.")
    finish(desktop, request_id, "Look at 0:03.")
    panel = shown(desktop).places.panel
    assert panel is not None
    show(desktop, path, 3.0)
    panel.video_bar.toggle()
    for _ in range(400):
        panel.video_bar.show_next()
    assert not panel.video_bar.is_playing
    panel.video_bar.toggle()
    panel.track.sought.emit(9.0)
    assert not panel.video_bar.is_playing


def zoom(request_id: str, path: Path, page: int = 0) -> ZoomedIn:
    return ZoomedIn(request_id, str(path), page, (0.0, 0.0, 500.0, 1000.0), "the <b>sign</b>", 300)


def test_looks_are_shown_and_kept(open_desktop: OpenDesktop, tmp_path: Path, qtbot: QtBot) -> None:
    first, path = open_desktop(), tmp_path / "street.png"
    request_id = question(first, path)
    script_of(first).zoomed_in.emit(zoom(request_id, path))
    script_of(first).zoomed_in.emit(zoom("another", path))
    say(first, request_id, "STOP")
    finish(first, request_id, "STOP")
    answer = shown(first)
    (look,) = answer.zooms.looks
    assert answer.zooms.isVisible()
    assert "the <b>sign</b> (street.png)" in look.button.accessibleName()
    show(first, path, -1.0)
    assert (look.image.width(), look.image.height()) == (200, 300)
    QTest.mouseClick(look.button, Qt.MouseButton.LeftButton)
    (dialog,) = [one for one in first.window.findChildren(QDialog) if one.isVisible()]
    dialog.close()
    first.window.close()
    second = open_desktop()
    qtbot.waitUntil(lambda: bool(second.window.view._answers))
    assert [one.zoom.label for one in shown(second).zooms.looks] == ["the <b>sign</b>"]
    assert (-1.0,) in [asked[1] for asked in script_of(second).asked_previews]


def stretch(path: Path, first: int, last: int) -> Stretch:
    return Stretch(str(path), first, last, True)


def begin_job(desktop: Desktop, path: Path) -> str:
    request_id = question(desktop, path)
    say(desktop, request_id, "**Pages 1-5** (1/3)\n\nOne.\n\n")
    waiting = (stretch(path, 6, 10), stretch(path, 11, 15))
    answered = AnsweredStretch(stretch(path, 1, 5), "One.")
    script_of(desktop).stretch_answered.emit(StretchAnswered(request_id, answered, waiting))
    return request_id


def check_goes_on(desktop: Desktop, path: Path) -> None:
    button = shown(desktop).footer.go_on_button
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    request = script_of(desktop).requests[-1]
    assert request.job is not None
    assert [one.text for one in request.job.answered] == ["One."]
    assert request.job.waiting == (stretch(path, 6, 10), stretch(path, 11, 15))
    assert request.turns[-1].text == "What happens?"
    assert len(desktop.window.view._answers) == 1


def test_a_stopped_job_goes_on(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    request_id = begin_job(desktop, path)
    finish(desktop, request_id, "**Pages 1-5** (1/3)\n\nOne.", FinishReason.CANCELLED)
    check_goes_on(desktop, path)
    finish(desktop, script_of(desktop).requests[-1].request_id, "All.")
    assert not shown(desktop).footer.go_on_button.isVisible()


def test_a_second_stop_keeps_the_parts_of_both_runs(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    finish(desktop, begin_job(desktop, path), "One.", FinishReason.CANCELLED)
    QTest.mouseClick(shown(desktop).footer.go_on_button, Qt.MouseButton.LeftButton)
    second = script_of(desktop).requests[-1].request_id
    answered = AnsweredStretch(stretch(path, 6, 10), "Two.")
    waiting = (stretch(path, 11, 15),)
    script_of(desktop).stretch_answered.emit(StretchAnswered(second, answered, waiting))
    finish(desktop, second, "One.\n\nTwo.", FinishReason.CANCELLED)
    QTest.mouseClick(shown(desktop).footer.go_on_button, Qt.MouseButton.LeftButton)
    job = script_of(desktop).requests[-1].job
    assert job is not None
    assert [one.text for one in job.answered] == ["One.", "Two."]
    assert job.waiting == waiting


def test_a_failed_job_goes_on(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    request_id = begin_job(desktop, path)
    error = OutOfMemory(what="reading the prompt", detail="")
    script_of(desktop).failed.emit(Failed.from_error(request_id, error))
    check_goes_on(desktop, path)


def test_a_job_goes_on_after_a_restart(open_desktop: OpenDesktop, tmp_path: Path, qtbot: QtBot) -> None:
    first, path = open_desktop(), tmp_path / "long.pdf"
    begin_job(first, path)
    first.window.close()
    second = open_desktop()
    qtbot.waitUntil(lambda: bool(second.window.view._answers))
    check_goes_on(second, path)


@pytest.mark.parametrize("is_mended", [False, True])
def test_a_file_that_fails_when_it_is_read_stays_marked_until_it_changes(
    desktop: Desktop, make_png: Callable[..., str], is_mended: bool
) -> None:
    path = make_png()
    desktop.session.intake.take_paths([path])
    ask(desktop, "What is it?")
    worker = script_of(desktop)
    error = ImageDamaged(name="picture.png")
    worker.failed.emit(Failed.from_error(worker.requests[-1].request_id, error, attachment=path))
    card = desktop.window.composer.strip.card(path)
    assert card is not None
    assert "damaged" in card.problem
    failed = shown(desktop).error_card
    assert failed is not None
    assert not failed.retry_button.isVisible()  # the same again would fail again
    if is_mended:
        Path(path).write_bytes(Path(path).read_bytes() + b"\0")
    worker.answer_prices()
    assert bool(card.problem) is not is_mended
