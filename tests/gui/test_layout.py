"""Everything is reachable, named, and has room: also at 800x600, in Chinese, with much in the composer."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.attachment_errors import NotAnImage
from desktopapp.engine.events import ModelLoading
from desktopapp.engine.price_events import MemorySample
from desktopapp.settings import Settings
from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.worker.process_events import EngineStarted
from tests.gui.scripted_worker import script_of
from tests.gui.window_actions import ask

OpenDesktop = Callable[..., Desktop]


def fill(desktop: Desktop, tmp_path: Path) -> None:
    """A window with everything on the screen at once."""
    worker, window = script_of(desktop), desktop.window
    worker.be_ready(random_weights=True)
    worker.memory_sampled.emit(MemorySample("A graphics card", True, 9 * 2**30, 12 * 2**30, 5 * 2**30))
    window.composer.set_text("one")
    window.composer.edit.submitted.emit()
    worker.say("An answer")
    worker.finish("An answer with `code` and **words**")
    bad = tmp_path / ("a very long name of a file " * 5 + ".png")
    bad.write_bytes(b"no picture")
    desktop.session.intake.take_paths([str(bad), *(str(tmp_path / f"{number}.png") for number in range(9))])
    worker.answer_prices(errors={bad.name: NotAnImage(name=bad.name)})
    window.composer.set_text("many\nlines\n" * 10)
    long = (
        "A rather long sentence that says what happened, so long that it must be broken into two lines here."
    )
    for number in range(3):
        window.notices.show_notice(Notice(NoticeLevel.ERROR, f"{number} {long}", long))
    QApplication.processEvents()


def place_of(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def is_scrolled(widget: QWidget) -> bool:
    """Inside something that scrolls, where being out of sight is allowed."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            return True
        above = above.parentWidget()
    return False


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size", [(800, 600), (1000, 760), (1920, 1080)])
def test_nothing_overlaps_or_is_cut(
    open_desktop: OpenDesktop, tmp_path: Path, qtbot: QtBot, size: tuple[int, int], language: str
) -> None:
    desktop = open_desktop(Settings(language=language, theme="light"))
    window = desktop.window
    window.resize(*size)
    fill(desktop, tmp_path)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    QApplication.processEvents()
    parts = [window.picker, window._new, window.settings_menu, window.view, window._random_note]
    parts += [window.notices, window.composer, window.status]
    for first, second in combinations(parts, 2):
        overlap = place_of(first, window).intersected(place_of(second, window))
        assert overlap.isEmpty(), f"{first} covers {second} in {overlap}"
    for part in parts:
        assert part.isVisible()
        assert window.rect().contains(place_of(part, window)), part
    assert window.view.height() >= 100
    assert window.composer.height() >= window.composer.minimumSizeHint().height()
    for label in window.findChildren(QLabel):
        if (
            label.isVisible()
            and not isinstance(label, ElidedLabel)
            and not label.wordWrap()
            and not is_scrolled(label)
        ):
            assert label.width() >= label.minimumSizeHint().width(), label.text()
    for button in window.findChildren(QAbstractButton):
        if button.isVisible() and not is_scrolled(button):
            assert button.height() >= 20
            assert window.rect().contains(place_of(button, window)), button.accessibleName()


def test_every_widget_that_takes_the_keyboard_has_a_name(open_desktop: OpenDesktop, tmp_path: Path) -> None:
    desktop = open_desktop()
    fill(desktop, tmp_path)
    desktop.window.composer.show_running(True)
    desktop.window.picker.open()
    unnamed = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in QApplication.allWidgets()
        if widget.window() in (desktop.window, desktop.window.picker.model_list)
        and widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
    ]
    desktop.window.picker.model_list.hide()
    assert not unnamed


def test_tab_reaches_everything_and_comes_back(
    open_desktop: OpenDesktop, tmp_path: Path, qtbot: QtBot
) -> None:
    desktop = open_desktop()
    fill(desktop, tmp_path)
    window = desktop.window
    window.composer.edit.setFocus()
    reached: list[QWidget] = []
    for _ in range(200):
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused is window.composer.edit:
            break
        reached.append(focused)
    else:
        pytest.fail(f"Tab never came back: {reached[-5:]}")
    names = {widget.accessibleName() or getattr(widget, "text", lambda: "")() for widget in reached}
    assert {"Send", "Attach files", "Settings", "New conversation", "Close this notice"} <= names
    assert any(name.startswith("Remove ") for name in names)
    assert any(name.startswith("Model: ") for name in names)


def test_tab_goes_in_reading_order_also_through_what_came_later(
    open_desktop: OpenDesktop, tmp_path: Path, qtbot: QtBot
) -> None:
    desktop = open_desktop()
    fill(desktop, tmp_path)
    composer = desktop.window.composer
    composer.set_text("ask")
    composer.edit.setFocus()
    reached = []
    for key in [Qt.Key.Key_Tab] * 4 + [Qt.Key.Key_Backtab] * 5:
        qtbot.keyClick(QApplication.focusWidget() or composer, key)
        reached.append((QApplication.focusWidget() or composer).accessibleName())
    last = f"Remove {Path(composer.strip.paths[-1]).name}"
    buttons = ["Attach files", "Capture the screen", "Tasks"]
    assert reached == [*buttons, "Send", *reversed(buttons), "Message", last]


def test_first_window_is_no_larger_than_a_small_screen(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = desktop.window
    for screen, size in {
        (1366, 728): QSize(1000, 688),
        (1920, 1040): QSize(1000, 760),
        (640, 400): QSize(640, 440),
    }.items():
        place = SimpleNamespace(availableGeometry=lambda screen=screen: QRect(0, 0, *screen))
        monkeypatch.setattr(window, "screen", lambda place=place: place)
        window.fit_screen()
        assert window.size() == size


def test_settings_menu_stays_inside_the_window(desktop: Desktop) -> None:
    window, menu = desktop.window, desktop.window.settings_menu.menu()
    menu.popup(window.settings_menu.mapToGlobal(QPoint(0, window.settings_menu.height())))
    right = menu.mapToGlobal(menu.rect().topRight()).x()
    menu.hide()
    assert right <= window.mapToGlobal(window.rect().topRight()).x()


@pytest.mark.parametrize(
    ("key", "focused"), [(Qt.Key.Key_L, "Message"), (Qt.Key.Key_M, "Models")], ids=["Ctrl+L", "Ctrl+M"]
)
def test_shortcuts_move_the_keyboard(desktop: Desktop, qtbot: QtBot, key: Qt.Key, focused: str) -> None:
    desktop.window.picker.show_models(a_model())
    desktop.window.picker.opened.disconnect()
    desktop.window.settings_menu.setFocus()
    qtbot.keyClick(desktop.window, key, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: (QApplication.focusWidget() or desktop.window).accessibleName() == focused)
    desktop.window.picker.model_list.hide()


def test_f1_shows_the_shortcuts(desktop: Desktop, qtbot: QtBot) -> None:
    from desktopapp.ui.shortcuts_dialog import ShortcutsDialog

    qtbot.keyClick(desktop.window, Qt.Key.Key_F1)
    (dialog,) = desktop.window.findChildren(ShortcutsDialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "Stop the answer" in texts
    assert "Ctrl+N" in texts
    dialog.close()


def test_status_line_follows_the_engine(desktop: Desktop) -> None:
    worker, status = script_of(desktop), desktop.window.status
    worker.model_loading.emit(ModelLoading("tiny", "llama.cpp", "weights", 0.4))
    assert status.text == "tiny · Loading weights 40 %"
    worker.model_loading.emit(ModelLoading("tiny", "llama.cpp", "vision", None))
    assert status.text == "tiny · Loading the vision part"
    worker.be_ready()
    assert status.text == "tiny · Q8_0 · llama.cpp on CPU · only GGUF is here"
    worker.engine_stopped.emit(object())
    assert status.text == "The engine is not running"
    worker.engine_started.emit(EngineStarted(1, again=False, log_path=""))
    assert "no model" in status.text
    worker.engine_started.emit(EngineStarted(2, again=True, log_path=""))
    assert "the model loads with your next message" in status.text


def test_a_narrow_status_line_leaves_out_what_is_least_needed(desktop: Desktop, qtbot: QtBot) -> None:
    worker, status = script_of(desktop), desktop.window.status
    everything = "tiny · Q8_0 · llama.cpp on CPU · only GGUF is here"
    ask(desktop, "one")
    worker.finish("An answer")
    seen: list[tuple[str, str]] = []
    label = status.findChild(ElidedLabel)
    for width in range(1500, 559, -20):
        desktop.window.resize(width, 600)
        qtbot.waitUntil(lambda width=width: status.width() == width and is_whole(label))
        state, speed = status.shown
        assert label.toolTip().count(everything) == 1
        assert label.accessibleName() == status.text == everything
        if (state, speed) not in seen:
            seen.append((state, speed))
    speed = "23.4 tokens/s · first token 0.41 s"
    short = "tiny · Q8_0 · llama.cpp on CPU"
    ways = [
        (everything, speed),
        (short, speed),
        (short, "23.4 tokens/s"),
        (short, ""),
        ("tiny · llama.cpp on CPU", ""),
        ("llama.cpp on CPU", ""),
    ]
    assert seen == [way for way in ways if way in seen], "left out in another order"
    assert seen[0] == ways[0]
    assert len(seen) >= 3


def test_status_line_makes_room_for_longer_figures_of_memory(desktop: Desktop, qtbot: QtBot) -> None:
    worker, status = script_of(desktop), desktop.window.status
    label = status.findChild(ElidedLabel)
    for used in (9, 12):
        worker.memory_sampled.emit(MemorySample("A graphics card", True, used * 2**30, 12 * 2**30, 5 * 2**30))
        qtbot.waitUntil(lambda: status.gauge.width() >= status.gauge.sizeHint().width() and is_whole(label))


def is_whole(label: ElidedLabel) -> bool:
    """Nothing of the label's text is cut."""
    return label.fontMetrics().horizontalAdvance(label.text()) <= label.width()


def a_model() -> list:
    from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat

    folder = Path("/m/one")
    files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "BF16", 8_000_000_000)
    return [InstalledModel("one", folder, ModelKind.INSTRUCT, "one", (files,))]
