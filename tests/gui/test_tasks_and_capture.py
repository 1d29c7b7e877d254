"""Tasks at a click, and pictures of the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.events import AttachmentPrice, Priced
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.ui.media.screen_capture import RegionPicker, ScreenCapture
from desktopapp.ui.media.task_presets import BLANK, FINE_DPI, PRESETS
from tests.gui.scripted_worker import script_of


def choose(desktop: Desktop, name: str) -> None:
    button = desktop.window.composer.tasks
    button.fill()
    (action,) = [action for action in button.menu().actions() if action.text() == name]
    action.trigger()


def test_every_task_has_words_in_both_languages() -> None:
    for preset in PRESETS:
        assert preset.question("en").isascii() or BLANK in preset.english
        assert preset.question("zh_CN") == preset.chinese
        assert (BLANK in preset.english) == (BLANK in preset.chinese)


def test_a_task_writes_its_question_and_draws_pages_finer(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "table.pdf"
    path.write_bytes(b"x")
    desktop.session.intake.take_paths([str(path)])
    price = AttachmentPrice(str(path), 992, 1403, 1_364, kind="document", pages=1)
    script_of(desktop).priced.emit(Priced((price,)))
    choose(desktop, "Table to CSV")
    assert "CSV" in desktop.window.composer.edit.toPlainText()
    (card,) = desktop.window.composer.strip.cards
    assert card.selection == MediaSelection(dpi=FINE_DPI)
    assert script_of(desktop).priced_attachments[-1][0].selection.dpi == FINE_DPI


def test_find_takes_what_was_written_or_asks_for_it(desktop: Desktop) -> None:
    edit = desktop.window.composer.edit
    choose(desktop, "Find …")
    assert edit.textCursor().selectedText() == BLANK
    QTest.keyClicks(edit, "red car")
    assert 'of "red car" in' in edit.toPlainText()
    desktop.window.composer.set_text("the button")
    choose(desktop, "Find …")
    assert 'of "the button" in' in edit.toPlainText()


def test_a_task_keeps_what_was_written(desktop: Desktop) -> None:
    composer = desktop.window.composer
    mine = "Only the second column.\nSorted."
    composer.set_text(mine)
    choose(desktop, "Table to CSV")
    text = composer.edit.toPlainText()
    assert "CSV" in text
    assert text.endswith("\n\n" + mine)
    composer.edit.undo()
    assert composer.edit.toPlainText() == mine
    composer.edit.redo()
    choose(desktop, "Read the text")
    assert "CSV" not in composer.edit.toPlainText()
    assert composer.edit.toPlainText().endswith("\n\n" + mine)
    composer.edit.appendPlainText("More.")
    choose(desktop, "Table to CSV")
    assert composer.edit.toPlainText() == f"{text}\nMore."


def test_questions_follow_the_language(desktop: Desktop) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale("zh_CN"))
    try:
        choose(desktop, "Read the text")
    finally:
        QLocale.setDefault(before)
    assert desktop.window.composer.edit.toPlainText() == "提取图中的所有文字。"


@pytest.fixture
def picker(qtbot: QtBot) -> RegionPicker:
    """A screen of twice as many pixels as Qt counts, whose right half is red."""
    screen = QGuiApplication.primaryScreen()
    size = screen.geometry().size() * 2
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y in range(size.height()):
        for x in (size.width() // 2, size.width() - 1):
            image.setPixelColor(x, y, QColor("red"))
    made = RegionPicker(image, screen)
    made.show()
    qtbot.addWidget(made)
    return made


def test_a_region_is_cut_out_in_the_screen_s_own_pixels(picker: RegionPicker) -> None:
    taken: list[QImage] = []
    picker.picked.connect(taken.append)
    middle = picker.width() // 2
    QTest.mousePress(picker, Qt.MouseButton.LeftButton, pos=QPoint(middle + 101, 80))
    QTest.mouseMove(picker, QPoint(middle, 60))
    QTest.mouseRelease(picker, Qt.MouseButton.LeftButton, pos=QPoint(middle, 60))
    (image,) = taken
    assert (image.width(), image.height()) == (204, 42)
    assert image.pixelColor(0, 5) == QColor("red")
    assert image.pixelColor(2, 5) == QColor("white")


def test_enter_takes_all_and_escape_nothing(picker: RegionPicker, qtbot: QtBot) -> None:
    taken: list[QImage] = []
    picker.picked.connect(taken.append)
    QTest.keyClick(picker, Qt.Key.Key_Return)
    assert [image.size() for image in taken] == [picker._image.size()]
    picker.show()
    with qtbot.waitSignal(picker.cancelled):
        QTest.keyClick(picker, Qt.Key.Key_Escape)


def test_the_window_steps_aside_and_comes_back(
    desktop: Desktop, qtbot: QtBot, make_png: Callable[..., str]
) -> None:
    desktop.window.composer.capture_requested.emit()
    capture = desktop.session._capture
    assert isinstance(capture, ScreenCapture)
    assert not desktop.window.isVisible()
    desktop.window.composer.capture_requested.emit()
    qtbot.waitUntil(lambda: capture.picker is not None or desktop.window.isVisible())
    if capture.picker is not None:  # a platform that shows its screen
        QTest.keyClick(capture.picker, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: len(desktop.window.composer.strip.paths) == 1)
        assert desktop.window.composer.strip.paths[0].endswith(".png")
    assert desktop.window.isVisible()
    assert QApplication.instance() is not None


def test_a_captured_picture_is_attached(desktop: Desktop, qtbot: QtBot) -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("green"))
    desktop.window.composer.capture_requested.emit()
    capture = desktop.session._capture
    assert capture is not None
    capture.captured.emit(image)
    qtbot.waitUntil(lambda: bool(script_of(desktop).asked_prices))
    (path,) = desktop.window.composer.strip.paths
    assert QImage(path).size() == image.size()
    qtbot.waitUntil(lambda: capture.picker is not None or desktop.window.isVisible())
    if capture.picker is not None:
        QTest.keyClick(capture.picker, Qt.Key.Key_Escape)
    assert desktop.window.isVisible()
