"""Tasks at a click, and pictures of the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.price_events import AttachmentPrice, Priced
from desktopapp.engine.request import Request, ZoomLimits
from desktopapp.ui.media.open_windows import window_places
from desktopapp.ui.media.screen_capture import RegionPicker, ScreenCapture
from desktopapp.ui.media.task_presets import BLANK, EXACT, FINE_DPI, PRESETS, READABLE_TOKENS
from tests.gui.scripted_worker import script_of


def choose(desktop: Desktop, name: str) -> None:
    button = desktop.window.composer.tasks
    button.fill()
    (action,) = [action for action in button.menu().actions() if action.text() == name]
    action.trigger()


def test_every_task_has_words_in_both_languages() -> None:
    assert len({preset.key for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.question("en").isascii() or BLANK in preset.english
        assert preset.question("zh_CN") == preset.chinese
        assert (BLANK in preset.english) == (BLANK in preset.chinese)
        assert preset.needs_words <= bool(preset.hint)


def sent(desktop: Desktop) -> Request:
    desktop.window.composer.edit.submitted.emit()
    return script_of(desktop).requests[-1]


def test_a_task_is_a_chip_and_draws_pages_finer(desktop: Desktop, tmp_path: Path) -> None:
    path = tmp_path / "table.pdf"
    path.write_bytes(b"x")
    desktop.session.intake.take_paths([str(path)])
    price = AttachmentPrice(str(path), 992, 1403, 1_364, kind="document", pages=1)
    script_of(desktop).priced.emit(Priced((price,)))
    choose(desktop, "Table to CSV")
    composer = desktop.window.composer
    assert composer.edit.toPlainText() == ""
    assert (composer.task_chip.isVisible(), composer.task_chip.label.text()) == (True, "Table to CSV")
    assert not composer.task_chip.details.isVisible()
    QTest.mouseClick(composer.task_chip.details_button, Qt.MouseButton.LeftButton)
    assert composer.task_chip.details.isVisible()
    assert "CSV" in composer.task_chip.details.text()
    (card,) = composer.strip.cards
    assert card.selection == MediaSelection(dpi=FINE_DPI)
    request = sent(desktop)
    assert request.turns[-1].text.startswith("Convert the table")
    assert request.turns[-1].attachments[0].selection.dpi == FINE_DPI
    assert request.sampling == EXACT
    assert request.least_picture_tokens == READABLE_TOKENS
    assert not composer.task_chip.isVisible()
    shown = next(iter(desktop.window.view._said.values()))
    assert (shown.task.label.text(), shown.message_text()) == ("Table to CSV", "")
    stored = desktop.session.chat.messages[0]
    assert (stored.task, stored.text, stored.asked) == ("csv", "", request.turns[-1].text)


def test_find_wants_words(desktop: Desktop) -> None:
    composer = desktop.window.composer
    choose(desktop, "Find …")
    assert composer.edit.placeholderText() == "What should be found?"
    composer.edit.submitted.emit()
    assert script_of(desktop).requests == []
    QTest.keyClicks(composer.edit, "red car")
    assert sent(desktop).turns[-1].text.startswith('Locate every instance of "red car" in the image.')


def test_a_task_keeps_what_was_written(desktop: Desktop) -> None:
    composer = desktop.window.composer
    mine = "Only the second column.\nSorted."
    composer.set_text(mine)
    choose(desktop, "Table to CSV")
    choose(desktop, "Read the text")
    assert composer.edit.toPlainText() == mine
    assert sent(desktop).turns[-1].text == f"Read all the text.\n\n{mine}"


def test_without_its_chip_there_is_no_task(desktop: Desktop) -> None:
    composer = desktop.window.composer
    choose(desktop, "Look closely")
    assert not composer.is_empty
    QTest.mouseClick(composer.task_chip.remove_button, Qt.MouseButton.LeftButton)
    assert composer.is_empty
    composer.set_text("Hi")
    assert sent(desktop).zoom == ZoomLimits()


def test_looking_closely_offers_the_tool(desktop: Desktop) -> None:
    choose(desktop, "Look closely")
    desktop.window.composer.set_text("What does the sign say?")
    request = sent(desktop)
    assert request.zoom.offered
    assert request.turns[-1].text.endswith("\n\nWhat does the sign say?")


def test_questions_follow_the_language(desktop: Desktop) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale("zh_CN"))
    try:
        choose(desktop, "Read the text")
        assert sent(desktop).turns[-1].text == "提取图中的所有文字。"
    finally:
        QLocale.setDefault(before)


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


def test_a_click_takes_the_window_under_the_pointer(picker: RegionPicker, qtbot: QtBot) -> None:
    size = picker._image.size()
    right = QRect(size.width() // 2, 0, size.width() // 2, size.height())
    top = QRect(size.width() // 2 + 20, 40, 100, 60)
    windows = RegionPicker(picker._image, picker.screen(), [top, right])
    qtbot.addWidget(windows)
    windows.show()
    taken: list[QImage] = []
    windows.picked.connect(taken.append)
    for point in (QPoint(right.left() + 40, 50), QPoint(right.left() + 4, 4)):
        QTest.mouseClick(windows, Qt.MouseButton.LeftButton, pos=point / 2)
        windows.show()
    assert [image.size() for image in taken] == [top.size(), right.size()]
    QTest.mouseClick(windows, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert len(taken) == 2


def test_windows_are_found_where_the_system_tells(qtbot: QtBot) -> None:
    if QGuiApplication.platformName() != "xcb":
        assert window_places() == []
        return
    lower, upper = QWidget(), QWidget()
    for window, place in ((lower, QRect(60, 80, 400, 300)), (upper, QRect(200, 150, 300, 200))):
        qtbot.addWidget(window)
        window.setWindowFlag(Qt.WindowType.BypassWindowManagerHint)
        window.setGeometry(place)
        window.show()
        qtbot.waitExposed(window)
    upper.raise_()
    both = [QRect(200, 150, 300, 200), QRect(60, 80, 400, 300)]
    qtbot.waitUntil(lambda: all(place in window_places() for place in both))
    places = window_places()
    assert places.index(both[0]) < places.index(both[1])
    lower.hide()
    qtbot.waitUntil(lambda: both[1] not in window_places())


def test_enter_takes_all_and_escape_nothing(picker: RegionPicker, qtbot: QtBot) -> None:
    taken: list[QImage] = []
    picker.picked.connect(taken.append)
    QTest.keyClick(picker, Qt.Key.Key_Return)
    assert [image.size() for image in taken] == [picker._image.size()]
    picker.show()
    with qtbot.waitSignal(picker.cancelled):
        QTest.keyClick(picker, Qt.Key.Key_Escape)


def test_a_right_click_or_closing_cancels(picker: RegionPicker, qtbot: QtBot) -> None:
    taken: list[QImage] = []
    picker.picked.connect(taken.append)
    middle = picker.rect().center()
    with qtbot.waitSignal(picker.cancelled):
        QTest.mouseClick(picker, Qt.MouseButton.RightButton, pos=middle)
    assert not picker.isVisible()
    picker.show()
    with qtbot.waitSignal(picker.cancelled):
        picker.close()
    picker.show()
    with qtbot.assertNotEmitted(picker.cancelled):
        QTest.keyClick(picker, Qt.Key.Key_Return)
    assert len(taken) == 1


def test_the_window_comes_back_when_the_choice_is_closed(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.window.composer.capture_requested.emit()
    capture = desktop.session.capture.capture
    assert capture is not None
    assert not desktop.window.isVisible()
    qtbot.waitUntil(lambda: capture.picker is not None or desktop.window.isVisible())
    if capture.picker is not None:  # a platform that shows its screen
        capture.picker.close()
    assert desktop.window.isVisible()
    assert capture.picker is None
    assert desktop.window.composer.strip.paths == ()


def test_the_window_steps_aside_and_comes_back(
    desktop: Desktop, qtbot: QtBot, make_png: Callable[..., str]
) -> None:
    desktop.window.composer.capture_requested.emit()
    capture = desktop.session.capture.capture
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
    capture = desktop.session.capture.capture
    assert capture is not None
    capture.captured.emit(image)
    qtbot.waitUntil(lambda: bool(script_of(desktop).asked_prices))
    (path,) = desktop.window.composer.strip.paths
    assert QImage(path).size() == image.size()
    qtbot.waitUntil(lambda: capture.picker is not None or desktop.window.isVisible())
    if capture.picker is not None:
        QTest.keyClick(capture.picker, Qt.Key.Key_Escape)
    assert desktop.window.isVisible()
