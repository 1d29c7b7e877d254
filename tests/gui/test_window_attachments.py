"""The whole window with a scripted worker: drop, paste, price, refuse."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QGuiApplication,
    QImage,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp import paths
from desktopapp.app import Desktop
from desktopapp.attachment_errors import ImageDamaged
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, drop, files

MakePng = Callable[..., str]
OpenDesktop = Callable[..., Desktop]


def test_title_contains_the_program_s_name(desktop: Desktop) -> None:
    assert "Qwen3-VL Desktop" in desktop.window.windowTitle()
    ask(desktop, "What is\nthis? " + "long " * 50)
    assert desktop.window.windowTitle().startswith("What is this? long")
    assert desktop.window.windowTitle().endswith("… - Qwen3-VL Desktop")


def test_drop_attaches_files_in_order_and_prices_them(desktop: Desktop, make_png: MakePng) -> None:
    paths = (make_png("b.png"), make_png("a.png"))
    event = drop(desktop, files(*paths))
    assert event.dropAction() is Qt.DropAction.CopyAction
    assert desktop.window.composer.strip.paths == paths
    assert script_of(desktop).asked_prices == [paths]
    script_of(desktop).answer_prices(tokens=1234)
    descriptions = [card.accessibleDescription() for card in desktop.window.composer.strip.cards]
    assert all("1,234 tokens" in description for description in descriptions)


def test_drag_highlight_appears_and_goes(desktop: Desktop, make_png: MakePng) -> None:
    mime = files(make_png())
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys)
    QApplication.sendEvent(desktop.window, enter)
    overlay = desktop.window._overlay
    assert overlay.isVisible()
    assert overlay.size() == desktop.window.size()
    QApplication.sendEvent(desktop.window, QDragLeaveEvent())
    assert not overlay.isVisible()
    drop(desktop, mime)
    assert not overlay.isVisible()


def test_files_dropped_over_the_text_field_are_offered_to_the_window(
    desktop: Desktop, make_png: MakePng
) -> None:
    edit = desktop.window.composer.edit
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    mime = files(make_png())
    enter = QDragEnterEvent(QPoint(2, 2), Qt.DropAction.CopyAction, mime, buttons, keys)
    QApplication.sendEvent(edit.viewport(), enter)
    assert desktop.window._overlay.isVisible()


def test_dropped_text_goes_to_the_composer(desktop: Desktop) -> None:
    mime = QMimeData()
    mime.setText("read this")
    drop(desktop, mime)
    assert desktop.window.composer.draft.text == "read this"


def test_remote_address_is_not_fetched_and_said(desktop: Desktop) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.com/cat.png")])
    drop(desktop, mime)
    assert desktop.window.composer.strip.paths == ()
    assert desktop.window.composer.draft.text == "" or "example.com" in desktop.window.composer.draft.text


def test_folder_gives_its_pictures_in_natural_order(
    desktop: Desktop, make_png: MakePng, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("page 10.png", "page 2.png", "Page 1.png"):
        make_png(f"album/{name}")
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    make_png("album/deeper/page 3.png")
    drop(desktop, files(str(tmp_path / "album")))
    strip = desktop.window.composer.strip
    qtbot.waitUntil(lambda: bool(strip.paths))
    assert [Path(path).name for path in strip.paths] == ["Page 1.png", "page 2.png", "page 10.png"]


def test_folder_without_pictures_is_said(desktop: Desktop, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    drop(desktop, files(str(tmp_path / "empty")))
    qtbot.waitUntil(lambda: bool(desktop.window.notices.notices))
    assert "empty" in desktop.window.notices.notices[0].message


def test_more_than_a_hundred_attachments_are_left_out_and_counted(desktop: Desktop, tmp_path: Path) -> None:
    drop(desktop, files(*(str(tmp_path / f"{number}.png") for number in range(103))))
    assert len(desktop.window.composer.strip.paths) == 100
    assert "3" in desktop.window.notices.notices[0].message
    desktop.session.intake.take_image(QImage(8, 8, QImage.Format.Format_RGB32))
    assert len(desktop.window.composer.strip.paths) == 100
    assert "1" in desktop.window.notices.notices[1].message


def test_same_file_twice_is_attached_once(desktop: Desktop, make_png: MakePng) -> None:
    path = make_png()
    drop(desktop, files(path, path))
    drop(desktop, files(path))
    assert desktop.window.composer.strip.paths == (path,)


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold<img src=x>.png",
        "line\nbreak.png",
        "\u202egnp.exe.png",
        "图片 🎉.png",
        "%41 #?&.png",
        "a" * 200 + ".png",
    ],
)
def test_hostile_names_are_attached_shown_plain_and_sent_unchanged(
    desktop: Desktop, make_png: MakePng, name: str, tmp_path: Path
) -> None:
    path = str(tmp_path / name)
    Path(make_png("plain.png")).rename(path)
    drop(desktop, files(path))
    assert desktop.window.composer.strip.paths == (path,)
    shown = desktop.window.composer.strip.cards[0].accessibleName()
    assert "\n" not in shown
    assert "\u202e" not in shown
    ask(desktop, "?")
    assert script_of(desktop).requests[0].turns[-1].attachments[0].path == path


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode elsewhere")
def test_name_that_is_no_unicode_survives_drop_and_restart(
    open_desktop: OpenDesktop, make_png: MakePng, tmp_path: Path
) -> None:
    desktop = open_desktop()
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(make_png("plain.png")).rename(os.fsdecode(raw))
    mime = QMimeData()
    mime.setData("text/uri-list", b"file://" + os.fsencode(tmp_path) + b"/caf%E9.png\r\n")
    drop(desktop, mime)
    assert [os.fsencode(path) for path in desktop.window.composer.strip.paths] == [raw]
    desktop.close()
    again = open_desktop()
    assert [os.fsencode(path) for path in again.window.composer.strip.paths] == [raw]


def test_thumbnail_and_size_arrive(desktop: Desktop, make_png: MakePng, qtbot: QtBot) -> None:
    path = make_png("wide.png", 300, 100)
    with qtbot.waitSignal(desktop.session.intake.thumbnail_ready) as ready:
        drop(desktop, files(path))
    assert ready.args[0] == path
    assert max(ready.args[1].width(), ready.args[1].height()) <= 192
    card = desktop.window.composer.strip.cards[0]
    qtbot.waitUntil(lambda: "bytes" in card.accessibleDescription())


def test_broken_file_gets_a_badge_with_the_reason_and_is_not_sent(
    desktop: Desktop, make_png: MakePng, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG broken")
    good = make_png("good.png")
    drop(desktop, files(good, str(bad)))
    script_of(desktop).answer_prices(errors={"bad.png": ImageDamaged(name="bad.png")})
    card = desktop.window.composer.strip.card(str(bad))
    assert card is not None
    assert card.problem == "“bad.png” is damaged or cut short."
    ask(desktop, "compare")
    assert script_of(desktop).requests == []
    assert desktop.window.composer.draft.text == "compare"
    # The card says what is wrong, the notice what did not happen: neither repeats the other.
    assert desktop.window.notices.notices[0].message == f"Not sent: “{Path(card.path).name}” cannot be used."
    assert (
        desktop.window.composer.strip.viewport()
        .visibleRegion()
        .boundingRect()
        .contains(card.mapTo(desktop.window.composer.strip.viewport(), card.rect().center()))
    )
    # It was mended: the price asked for at Send takes the mark away.
    script_of(desktop).answer_prices()
    desktop.window.composer.edit.submitted.emit()
    assert len(script_of(desktop).requests[0].turns[0].attachments) == 2


def test_notice_of_a_bad_attachment_goes_with_it(desktop: Desktop, make_png: MakePng) -> None:
    drop(desktop, files(make_png("good.png"), make_png("bad.png")))
    script_of(desktop).answer_prices(errors={"bad.png": ImageDamaged(name="bad.png")})
    ask(desktop, "compare")
    strip = desktop.window.composer.strip
    strip.remove(strip.paths[0])
    assert [notice.topic for notice in desktop.window.notices.notices] == ["attachment"]
    strip.remove(strip.paths[0])
    assert desktop.window.notices.notices == []


def test_newest_of_many_attachments_is_in_view_and_the_wheel_goes_to_the_others(
    desktop: Desktop, make_png: MakePng, qtbot: QtBot
) -> None:
    drop(desktop, files(*(make_png(f"{number}.png") for number in range(12))))
    strip = desktop.window.composer.strip
    bar = strip.horizontalScrollBar()
    qtbot.waitUntil(lambda: 0 < bar.maximum() == bar.value())
    middle = QPointF(strip.rect().center())
    for turn in (120, 120, -120):
        wheel = QWheelEvent(
            middle,
            strip.mapToGlobal(middle),
            QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(strip.viewport(), wheel)
    assert bar.value() == bar.maximum() - 120


def test_pasted_screenshot_becomes_a_file_and_is_sent_when_it_is_written(
    desktop: Desktop, qtbot: QtBot
) -> None:
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(QColor("#336699"))
    QGuiApplication.clipboard().setImage(image)
    desktop.window.composer.edit.paste()
    (path,) = desktop.window.composer.strip.paths
    ask(desktop, "what is on my screen?")
    qtbot.waitUntil(lambda: bool(script_of(desktop).requests))
    assert Path(path).parent == paths.pasted_dir()
    sent = script_of(desktop).requests[0].turns[0]
    assert sent.attachments[0].path == path
    assert QImage(path).size() == image.size()
    assert QImage(path).pixelColor(5, 5) == QColor("#336699")


def test_bitmap_that_cannot_be_saved_is_said(
    desktop: Desktop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "pasted_dir", lambda: tmp_path / "file" / "pasted")
    mime = QMimeData()
    mime.setImageData(QImage(8, 8, QImage.Format.Format_RGB32))
    with qtbot.waitSignal(desktop.session.intake.all_saved):
        desktop.session.intake.take_mime(mime)
    assert desktop.window.composer.strip.paths == ()
    assert "could not be saved" in desktop.window.notices.notices[0].message


def test_files_of_the_command_line_are_attached(open_desktop: OpenDesktop, make_png: MakePng) -> None:
    path = make_png()
    desktop = open_desktop(files=(path,))
    assert desktop.window.composer.strip.paths == (path,)
