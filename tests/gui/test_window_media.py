"""The whole window with documents and videos: what their cards say, which part is chosen, and that it is kept."""

import base64
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.attachment_errors import DocumentLocked
from desktopapp.engine.events import Failed, PreviewRead
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.price_events import AttachmentPrice, PlannedAttachment, Priced
from desktopapp.ui.attachment_card import AttachmentCard
from desktopapp.ui.media.filmstrip import Filmstrip
from desktopapp.ui.media.selection_popup import SelectionPopup
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask, drop, files

OpenDesktop = Callable[..., Desktop]


def attach(desktop: Desktop, path: Path, price: AttachmentPrice) -> AttachmentCard:
    path.write_bytes(b"anything")
    drop(desktop, files(str(path)))
    script_of(desktop).priced.emit(Priced((price,)))
    card = desktop.window.composer.strip.card(str(path))
    assert card is not None
    return card


def document(desktop: Desktop, folder: Path, pages: int = 12) -> AttachmentCard:
    path = folder / "report.pdf"
    return attach(desktop, path, AttachmentPrice(str(path), 992, 1403, 16_368, kind="document", pages=pages))


def video(desktop: Desktop, folder: Path) -> AttachmentCard:
    path = folder / "clip.mp4"
    price = AttachmentPrice(str(path), 640, 360, 7_480, kind="video", frames=68, duration_s=34.0)
    return attach(desktop, path, price)


def popup_of(card: AttachmentCard) -> SelectionPopup:
    card.choose_part()
    popup = card.findChild(SelectionPopup)
    assert isinstance(popup, SelectionPopup)
    return popup


def chosen(desktop: Desktop) -> MediaSelection:
    return script_of(desktop).requests[-1].turns[-1].attachments[0].selection


def test_cards_say_pages_and_frames(desktop: Desktop, tmp_path: Path) -> None:
    assert document(desktop, tmp_path).accessibleDescription().startswith("12 pages")
    assert video(desktop, tmp_path).accessibleDescription().startswith("0:34 · 68 frames")
    assert document(desktop, tmp_path, pages=1).accessibleDescription().startswith("1 page ·")


def test_a_range_of_pages_is_priced_and_sent(desktop: Desktop, tmp_path: Path, qtbot: QtBot) -> None:
    card = document(desktop, tmp_path)
    popup = popup_of(card)
    edit = popup.findChild(QLineEdit)
    assert edit is not None
    QTest.keyClicks(edit, "3-5")
    qtbot.waitUntil(lambda: card.selection == MediaSelection(first_page=3, last_page=5))
    asked = script_of(desktop).priced_attachments[-1]
    assert [one.selection for one in asked] == [card.selection]
    assert card.accessibleDescription().startswith("3 of 12 pages")
    popup.close()
    ask(desktop, "Sum it up")
    assert chosen(desktop) == MediaSelection(first_page=3, last_page=5)


def test_a_range_that_is_none_is_marked_and_not_taken(desktop: Desktop, tmp_path: Path) -> None:
    card = document(desktop, tmp_path)
    popup = popup_of(card)
    edit = popup.findChild(QLineEdit)
    assert edit is not None
    for wrong in ("9-2", "13", "0", "x", "1-99"):
        edit.clear()
        QTest.keyClicks(edit, wrong)
        assert edit.property("wrong") is True, wrong
    popup._tell()
    assert card.selection == MediaSelection()
    popup.close()


def test_handles_and_rate_of_a_video(desktop: Desktop, tmp_path: Path, qtbot: QtBot) -> None:
    card = video(desktop, tmp_path)
    popup = popup_of(card)
    strip = popup.filmstrip
    assert strip is not None
    attachment, positions, _ = script_of(desktop).asked_previews[-1]
    assert (attachment.path, positions) == (card.path, strip.positions)
    left, right = (strip._x(second) for second in (0.0, 34.0))
    _drag(strip, left, strip._x(10.0))
    _drag(strip, right, strip._x(20.0))
    box = popup.findChild(QComboBox)
    assert box is not None
    box.setCurrentIndex(2)
    qtbot.waitUntil(lambda: card.selection.fps == 4.0)
    assert abs(card.selection.start_s - 10) < 0.2
    assert card.selection.end_s is not None
    assert abs(card.selection.end_s - 20) < 0.2
    popup.close()


def _drag(strip: Filmstrip, start: float, end: float) -> None:
    QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=_at(strip, start))
    point = _at(strip, end)
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove,
        point,
        strip.mapToGlobal(point),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    strip.mouseMoveEvent(move)
    QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=point)


def _at(strip: Filmstrip, x: float) -> QPoint:
    return QPoint(round(x), strip.height() // 2)


def test_a_locked_document_opens_with_its_password(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    failed = Failed.from_error("", DocumentLocked(name=path.name), attachment=str(path))
    card = attach(desktop, path, AttachmentPrice(str(path), failed=failed))
    assert "locked" in card.problem
    popup = popup_of(card)
    edit = popup.findChild(QLineEdit)
    assert edit is not None
    QTest.keyClicks(edit, "sesame")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    (asked,) = script_of(desktop).priced_attachments[-1]
    assert asked.selection.password == "sesame"
    price = AttachmentPrice(str(path), 992, 1403, 1_364, kind="document", pages=1)
    script_of(desktop).priced.emit(Priced((price,)))
    assert card.problem == ""
    ask(desktop, "Read")
    assert chosen(desktop).password == "sesame"


def test_a_wrong_password_is_said_where_it_was_typed(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    failed = Failed.from_error("", DocumentLocked(name=path.name), attachment=str(path))
    locked = AttachmentPrice(str(path), failed=failed)
    popup = popup_of(attach(desktop, path, locked))
    edit = popup.findChild(QLineEdit)
    assert edit is not None
    for wrong in ("guess", "another"):
        edit.clear()
        QTest.keyClicks(edit, wrong)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert edit.property("wrong") is False
        script_of(desktop).priced.emit(Priced((locked,)))
        assert popup.isVisible()
        assert edit.property("wrong") is True
        assert "does not open" in popup._cost.text()
    edit.clear()
    QTest.keyClicks(edit, "sesame")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    script_of(desktop).priced.emit(
        Priced((AttachmentPrice(str(path), 992, 1403, 1_364, kind="document", pages=1),))
    )
    assert not popup.isVisible()


def test_the_form_and_the_card_say_the_same_cost(desktop: Desktop, tmp_path: Path) -> None:
    card = document(desktop, tmp_path)
    popup = popup_of(card)
    assert popup._cost.text() == "16,368 tokens"
    card.show_planned(PlannedAttachment(card.path, 3_780, 20 * 2**20, (480, 672)))
    assert popup._cost.text() == "3,780 tokens"
    popup.close()
    again = popup_of(card)
    assert again._cost.text() == "3,780 tokens"
    again.close()


def test_the_choice_survives_a_restart_and_the_password_does_not(
    desktop: Desktop, open_desktop: OpenDesktop, tmp_path: Path, home: Path
) -> None:
    card = document(desktop, tmp_path)
    card.choose(MediaSelection(first_page=2, last_page=4, password="sesame"))
    desktop.close()
    assert not [file for file in home.rglob("*") if file.is_file() and b"sesame" in file.read_bytes()]
    again = open_desktop()
    (kept,) = again.window.composer.strip.cards
    assert kept.selection == MediaSelection(first_page=2, last_page=4)


def test_the_engine_makes_thumbnails_of_what_qt_does_not_read(
    desktop: Desktop, tmp_path: Path, qtbot: QtBot
) -> None:
    card = document(desktop, tmp_path)
    qtbot.waitUntil(lambda: bool(script_of(desktop).asked_previews))
    attachment, positions, side_px = script_of(desktop).asked_previews[0]
    assert (attachment.path, positions, side_px) == (card.path, (0.0,), 192)
    rgb = base64.b64encode(bytes([10, 200, 30]) * 6).decode()
    script_of(desktop).preview_read.emit(PreviewRead(card.path, 0.0, 3, 2, rgb))
    image = card._image
    assert image is not None
    assert (image.width(), image.height(), QColor(image.pixel(2, 1)).getRgb()[:3]) == (3, 2, (10, 200, 30))


def test_a_preview_of_the_wrong_size_is_no_picture(desktop: Desktop, tmp_path: Path) -> None:
    card = document(desktop, tmp_path)
    for rgb in ("AAAA", "???"):
        script_of(desktop).preview_read.emit(PreviewRead(card.path, 0.0, 300, 200, rgb))
        assert card._image is None or card._image.isNull()


def test_a_folder_brings_its_videos_and_documents(desktop: Desktop, tmp_path: Path, qtbot: QtBot) -> None:
    for name in ("10.pdf", "2.mp4", "1.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    drop(desktop, files(str(tmp_path)))
    strip = desktop.window.composer.strip
    qtbot.waitUntil(lambda: bool(strip.paths))
    assert [Path(path).name for path in strip.paths] == ["1.png", "2.mp4", "10.pdf"]
