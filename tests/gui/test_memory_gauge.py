"""The gauge: what it names and draws, the ceiling by mouse and keyboard, the alarm, the details."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtWidgets import QApplication, QLabel, QToolTip
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.engine.events import ModelUnloaded
from desktopapp.engine.memory.account import Alarm, Segment, account_of
from desktopapp.engine.price_events import MemoryParts, MemorySample
from desktopapp.settings import Settings, load_settings
from desktopapp.ui.memory.bar import MemoryBar, segment_color
from desktopapp.ui.memory.panel import place_beside
from desktopapp.ui.tokens import DARK, LIGHT
from tests.contrast import contrast_ratio
from tests.gui.scripted_worker import script_of

GIB = 2**30
PARTS = MemoryParts(4 * GIB, GIB // 2, 2 * GIB, GIB // 4)
BUSY = MemorySample("NVIDIA <b>X</b>", True, 8 * GIB, 12 * GIB, 7 * GIB, PARTS)


def picture_of(bar: MemoryBar) -> QImage:
    return bar.grab().toImage()


@pytest.fixture
def bar(qtbot: QtBot) -> MemoryBar:
    bar = MemoryBar(8)
    qtbot.addWidget(bar)
    bar.resize(252, 18)
    bar.show_account(account_of(BUSY))
    bar.show()
    return bar


def test_gauge_names_what_it_measures(desktop: Desktop) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(MemorySample("System memory", False, 6 * GIB, 24 * GIB, 0))
    assert gauge.accessibleName() == "RAM 6.0 / 24.0 GiB"
    worker.memory_sampled.emit(BUSY)
    assert gauge.text == gauge.accessibleName() == "GPU 8.0 / 12.0 GiB"
    for figure in ("Weights: 4.0 GiB", "Vision: 0.5 GiB", "KV cache: 2.0 GiB", "Work space: 0.5 GiB"):
        assert figure in gauge.figures()
    assert "Other programs: 1.0 GiB" in gauge.figures()
    assert "Free: 4.0 GiB" in gauge.bar.accessibleDescription()
    worker.memory_sampled.emit(MemorySample("Nothing", False, 0, 0, 0))
    assert gauge.accessibleName() == "RAM 0.0 / 0.0 GiB"


def test_segments_are_drawn_in_order_with_their_colours(bar: MemoryBar) -> None:
    image = picture_of(bar)
    middle = bar.height() // 2
    # 240 pixels for 12 GiB: 20 pixels a GiB behind a margin of 6.
    for segment, gib in {
        Segment.WEIGHTS: 2,
        Segment.KV_CACHE: 5.5,
        Segment.OTHER: 7.5,
        Segment.FREE: 10,
    }.items():
        x = 6 + round(gib * 20)
        found = image.pixelColor(round(x * image.devicePixelRatio()), middle)
        wanted = QColor(segment_color(segment, LIGHT))
        # A virtual screen may have 16 bits a pixel.
        assert all(abs(a - b) < 9 for a, b in zip(found.getRgb(), wanted.getRgb(), strict=True)), segment
        assert bar.segment_at(x) is (None if segment is Segment.FREE else segment)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_used_segments_stand_out_from_the_ground(colors: object) -> None:
    for segment in Segment:
        if segment is not Segment.FREE:
            assert contrast_ratio(segment_color(segment, colors), colors.window) >= 3


def test_the_planned_peak_is_a_mark(bar: MemoryBar) -> None:
    without = picture_of(bar)
    bar.show_planned(10 * GIB)
    assert picture_of(bar) != without
    bar.show_planned(None)
    assert picture_of(bar) == without


def test_dragging_the_handle_sets_the_ceiling_when_it_is_let_go(bar: MemoryBar, qtbot: QtBot) -> None:
    chosen: list[int | None] = []
    bar.limit_chosen.connect(chosen.append)
    end = QPoint(246, 9)
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=end)
    qtbot.mouseMove(bar, QPoint(126, 9))
    QApplication.processEvents()
    assert bar.limit_bytes == 6 * GIB
    assert not chosen
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(126, 9))
    assert chosen == [6 * GIB]
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(126, 9))
    qtbot.mouseMove(bar, QPoint(400, 9))
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(400, 9))
    assert chosen == [6 * GIB, None]


def test_the_keyboard_sets_the_ceiling(bar: MemoryBar, qtbot: QtBot) -> None:
    chosen: list[int | None] = []
    bar.limit_chosen.connect(chosen.append)
    bar.show_limit(6 * GIB)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End):
        qtbot.keyClick(bar, key)
    tenth = GIB // 10
    assert [None if size is None else round(size / tenth) for size in chosen] == [58, 48, 5, None]


def test_a_ceiling_that_is_shown_is_not_chosen(bar: MemoryBar, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(bar.limit_chosen), qtbot.assertNotEmitted(bar.limit_moved):
        bar.show_limit(round(6.37 * GIB))
        bar.show_account(account_of(MemorySample("GPU", True, 0, 24 * GIB, 0)))
    assert bar.limit_bytes == round(6.37 * GIB)


def test_assistive_technology_sees_a_slider_with_a_value(bar: MemoryBar) -> None:
    bar.show_limit(6 * GIB)
    interface = QAccessible.queryAccessibleInterface(bar)
    assert interface.role() is QAccessible.Role.Slider
    assert interface.valueInterface().currentValue() == 60


def test_the_ceiling_is_a_setting_and_goes_with_the_next_question(desktop: Desktop, qtbot: QtBot) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(BUSY)
    loads = len(worker.loads)
    gauge.bar.setFocus()
    qtbot.keyClick(gauge.bar, Qt.Key.Key_PageDown)
    assert load_settings().settings.vram_limit_gib == 11.0
    desktop.window.composer.set_text("ask")
    desktop.window.composer.edit.submitted.emit()
    assert worker.requests[-1].choice.memory.vram_limit_bytes == 11 * GIB
    assert len(worker.loads) == loads  # nothing is loaded again over it
    qtbot.keyClick(gauge.bar, Qt.Key.Key_End)
    assert load_settings().settings.vram_limit_gib is None


def test_the_ceiling_of_the_settings_is_shown(open_desktop: Callable[..., Desktop]) -> None:
    gauge = open_desktop(Settings(language="en", vram_limit_gib=6.5)).window.status.gauge
    assert gauge.bar.limit_bytes == round(6.5 * GIB)


def test_an_alarm_is_said_in_words_and_with_an_icon(desktop: Desktop) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(BUSY)
    style = gauge._figures.toolButtonStyle()
    assert (gauge.alarm, style) == (Alarm.NONE, Qt.ToolButtonStyle.ToolButtonTextOnly)
    worker.memory_sampled.emit(MemorySample("GPU", True, 23 * GIB // 2, 12 * GIB, 7 * GIB, PARTS))
    assert gauge.text == "Nearly full · GPU 11.5 / 12.0 GiB"
    assert gauge._figures.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    assert not gauge._figures.icon().isNull()
    worker.memory_sampled.emit(
        MemorySample("GPU", True, 23 * GIB // 2, 12 * GIB, 7 * GIB, PARTS, shared_bytes=2 * GIB)
    )
    assert gauge.text.startswith("Spilled: slow")
    worker.memory_sampled.emit(BUSY)
    gauge.show_limit(5.0)
    assert gauge.text.startswith("Over the ceiling")
    assert gauge.accessibleName().startswith("Over the ceiling")


def test_hovering_shows_every_figure_and_no_foreign_markup(desktop: Desktop) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(BUSY)
    gauge.show_planned(9 * GIB)
    over_weights = gauge.bar.mapToGlobal(QPointF(20, 9)).toPoint()
    gauge._show_figures(over_weights)
    text = QToolTip.text()
    QToolTip.hideText()
    assert "<b>Weights</b>" in text
    assert "Planned peak of the engine" in text
    assert "9.0 GiB" in text
    assert "NVIDIA &lt;b&gt;X" in text


def test_the_details_open_by_click_and_keyboard_and_move_live(desktop: Desktop, qtbot: QtBot) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(BUSY)
    gauge.bar.setFocus()
    qtbot.keyClick(gauge.bar, Qt.Key.Key_Space)
    panel = gauge.panel
    assert panel.isVisible()

    def texts() -> set[str]:
        return {label.text() for label in panel.findChildren(QLabel) if label.isVisible()}

    assert {"Weights", "4.0 GiB", "KV cache", "2.0 GiB", "Free"} <= texts()
    worker.memory_sampled.emit(MemorySample("GPU", True, 23 * GIB // 2, 12 * GIB, 7 * GIB, PARTS))
    assert "GPU: 11.5 of 12.0 GiB used" in texts()
    assert any(text.startswith("Almost no memory is left") for text in texts())
    panel.ceiling.setValue(7.5)
    assert load_settings().settings.vram_limit_gib == 7.5
    assert gauge.bar.limit_bytes == panel.bar.limit_bytes == round(7.5 * GIB)
    panel.ceiling.setValue(0)
    assert load_settings().settings.vram_limit_gib is None
    qtbot.keyClick(panel, Qt.Key.Key_Escape)
    assert not panel.isVisible()


def test_a_model_s_memory_is_given_back_by_a_button(desktop: Desktop, qtbot: QtBot) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(MemorySample("GPU", True, GIB, 12 * GIB, 0))
    gauge.open_panel()
    assert not gauge.panel.unload_button.isEnabled(), "there is none"
    worker.be_ready()
    worker.memory_sampled.emit(BUSY)
    qtbot.mouseClick(gauge.panel.unload_button, Qt.MouseButton.LeftButton)
    assert (worker.unloads, gauge.panel.isVisible()) == (1, False)
    drafts = len(worker.drafts)
    desktop.window.composer.set_text("next")
    worker.model_unloaded.emit(ModelUnloaded())
    assert desktop.window.status.text == "No model is loaded; it loads with your next message"
    qtbot.waitUntil(lambda: len(worker.drafts) > drafts)
    desktop.window.composer.edit.submitted.emit()
    worker.answer_draft()
    assert [request.turns[-1].text for request in worker.requests] == ["next"]


def test_the_details_never_cover_the_composer(desktop: Desktop, qtbot: QtBot) -> None:
    worker, window = script_of(desktop), desktop.window
    worker.memory_sampled.emit(BUSY)
    composer, panel = window.composer, window.status.gauge.panel

    def overlap() -> bool:
        kept = QRect(composer.mapToGlobal(QPoint(0, 0)), composer.size())
        return kept.intersects(panel.frameGeometry())

    for size in (window.minimumSize(), QSize(1100, 700)):
        window.resize(size)
        window.status.gauge.open_panel()
        assert panel.isVisible()
        assert not overlap()
        # The alarm makes it higher.
        worker.memory_sampled.emit(MemorySample("GPU", True, 23 * GIB // 2, 12 * GIB, 7 * GIB, PARTS))
        assert not overlap()
        panel.hide()
        worker.memory_sampled.emit(BUSY)


@pytest.mark.parametrize(
    ("kept", "corner"),
    [
        (QRect(100, 600, 500, 150), (250, 292)),  # above
        (QRect(100, 10, 500, 150), (250, 168)),  # below
        (QRect(0, 100, 500, 600), (508, 400)),  # to the right
        (QRect(500, 100, 500, 600), (142, 400)),  # to the left
        (QRect(0, 0, 1000, 800), (0, 0)),  # nowhere
    ],
)
def test_a_panel_goes_where_it_covers_nothing(kept: QRect, corner: tuple[int, int]) -> None:
    found = place_beside(QSize(350, 300), kept, 250, QRect(0, 0, 1000, 800))
    assert (found.x(), found.y()) == corner


def test_every_part_of_the_details_that_takes_the_keyboard_has_a_name(desktop: Desktop) -> None:
    script_of(desktop).memory_sampled.emit(BUSY)
    gauge = desktop.window.status.gauge
    gauge.open_panel()
    stops = [w for w in (gauge.panel.bar, gauge.panel.ceiling) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [stop.accessibleName() for stop in stops] == ["Memory ceiling", "Ceiling for the engine in GiB"]
    gauge.panel.hide()


def test_the_curve_follows_one_device(desktop: Desktop) -> None:
    worker, gauge = script_of(desktop), desktop.window.status.gauge
    worker.memory_sampled.emit(BUSY)
    assert len(gauge.history.moments) == 1
    assert gauge.history.moments[0].used == pytest.approx(8 / 12)
    worker.memory_sampled.emit(MemorySample("System memory", False, GIB, 4 * GIB, 0))
    assert [moment.used for moment in gauge.history.moments] == [0.25]


def test_a_narrow_window_keeps_bar_and_figures(desktop: Desktop, qtbot: QtBot) -> None:
    script_of(desktop).memory_sampled.emit(BUSY)
    gauge = desktop.window.status.gauge
    desktop.window.resize(560, 600)
    qtbot.waitUntil(lambda: not gauge._sparkline.isVisible())
    assert gauge.bar.isVisible()
    assert gauge.bar.width() >= 72
    qtbot.waitUntil(lambda: gauge._figures.width() >= gauge._figures.sizeHint().width())
