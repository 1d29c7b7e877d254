"""The details of the gauge: a larger bar, every figure, the ceiling as a number, the last minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.engine.memory.account import Account, Alarm, Segment
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.memory.bar import MemoryBar, segment_color
from desktopapp.ui.memory.history import SPAN_S, History
from desktopapp.ui.memory.sparkline import Sparkline
from desktopapp.ui.memory.wording import figures_title, segment_name
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import SPACE_L, SPACE_M, SPACE_S
from desktopapp.ui.wording import format_memory_size

if TYPE_CHECKING:
    from desktopapp.engine.price_events import MemorySample

_WIDTH = 380
_BAR_HEIGHT = 16
_SWATCH = 12
_ICON = 16


class MemoryPanel(QFrame):
    """Opens beside what it must not cover, closes on a click elsewhere or Esc, and moves live while it is open.

    Args:
        history: of the gauge.
        parent: the gauge.

    Signals:
        limit_moved: the ceiling is being moved; carries bytes or None.
        limit_chosen: the ceiling was set.
        unload_wanted: the model's memory is to be given back.
    """

    limit_moved = Signal(object)
    limit_chosen = Signal(object)
    unload_wanted = Signal()

    def __init__(self, history: History, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self._is_filling = False
        self._kept, self._right_edge = parent, 0
        self._title = QLabel(self)
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        self.bar = MemoryBar(_BAR_HEIGHT, self)
        self._names = {segment: QLabel(self) for segment in Segment}
        self._amounts = {segment: QLabel(self) for segment in Segment}
        self._swatches = {segment: QLabel(self) for segment in Segment}
        self._planned_name, self._planned = QLabel(self), QLabel(self)
        self._shared_name, self._shared = QLabel(self), QLabel(self)
        self._ceiling_name = QLabel(self)
        self.ceiling = QDoubleSpinBox(self)
        self.unload_button = QPushButton(self)
        self._sparkline = Sparkline(history, QSize(_WIDTH - 2 * SPACE_L, 56), self)
        self._span = QLabel(self)
        self._span.setProperty("role", "secondary")
        self._alarm_icon, self._alarm = QLabel(self), QLabel(self)
        self._alarm.setWordWrap(True)
        self._build()
        self.bar.limit_moved.connect(self.limit_moved)
        self.bar.limit_chosen.connect(self.limit_chosen)
        self.ceiling.valueChanged.connect(self._on_ceiling_typed)
        self.unload_button.clicked.connect(self._on_unload_pressed)
        self._retranslate()

    def show_state(
        self,
        sample: MemorySample,
        account: Account,
        planned_bytes: int | None,
        limit_bytes: int | None,
        alarm: Alarm,
        alarm_text: str,
    ) -> None:
        """Show the figures of now.

        Args:
            sample: as measured.
            account: of it.
            planned_bytes: peak of the next answer, if known.
            limit_bytes: the ceiling, if any.
            alarm: how serious it is.
            alarm_text: what to do about it.
        """
        self._title.setText(figures_title(sample, account))
        self.bar.show_account(account)
        self.bar.show_planned(planned_bytes)
        self.bar.show_limit(limit_bytes)
        for segment, size_bytes in account.segments.items():
            self._names[segment].setText(segment_name(segment, is_gpu=sample.is_gpu))
            self._amounts[segment].setText(format_memory_size(size_bytes))
        self._show_optional(self._planned_name, self._planned, planned_bytes)
        self._show_optional(self._shared_name, self._shared, sample.shared_bytes if sample.is_gpu else 0)
        self._show_ceiling(account.total_bytes, limit_bytes)
        self.unload_button.setEnabled(account.segments[Segment.WEIGHTS] > 0)
        self._show_alarm(alarm, alarm_text)
        self._sparkline.update()

    def open_beside(self, kept: QWidget, right_edge: int) -> None:
        """Open above a widget that must stay visible and usable, or where else the screen has room beside it.

        Args:
            kept: what is not covered.
            right_edge: global x that the panel ends at where it can.
        """
        self._kept, self._right_edge = kept, right_edge
        self._retint()
        self.adjustSize()
        self._place()
        self.show()
        self.bar.setFocus(Qt.FocusReason.PopupFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build(self) -> None:
        self.setFixedWidth(_WIDTH)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_S)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, segment in enumerate(Segment):
            grid.addWidget(self._swatches[segment], row, 0)
            grid.addWidget(self._names[segment], row, 1)
            grid.addWidget(self._amounts[segment], row, 2, Qt.AlignmentFlag.AlignRight)
        self._planned_mark = QLabel("▾", self)
        rows = len(Segment)
        for offset, (name, amount) in enumerate(
            ((self._planned_name, self._planned), (self._shared_name, self._shared))
        ):
            grid.addWidget(name, rows + offset, 1)
            grid.addWidget(amount, rows + offset, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._planned_mark, rows, 0, Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(self._ceiling_name, rows + 2, 1)
        grid.addWidget(self.ceiling, rows + 2, 2)
        alarm = QHBoxLayout()
        alarm.setSpacing(SPACE_S)
        alarm.addWidget(self._alarm_icon, 0, Qt.AlignmentFlag.AlignTop)
        alarm.addWidget(self._alarm, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._title)
        layout.addLayout(alarm)
        layout.addWidget(self.bar)
        layout.addLayout(grid)
        layout.addWidget(self._sparkline)
        layout.addWidget(self._span)
        layout.addWidget(self.unload_button)
        self.ceiling.setDecimals(1)
        self.ceiling.setSingleStep(0.5)
        self.ceiling.setKeyboardTracking(False)
        self.ceiling.setFixedWidth(100)
        self.ceiling.setAlignment(Qt.AlignmentFlag.AlignRight)

    def _show_optional(self, name: QLabel, amount: QLabel, size_bytes: int | None) -> None:
        name.setVisible(bool(size_bytes))
        amount.setVisible(bool(size_bytes))
        if name is self._planned_name:
            self._planned_mark.setVisible(bool(size_bytes))
        amount.setText(format_memory_size(size_bytes or 0))

    def _show_ceiling(self, total_bytes: int, limit_bytes: int | None) -> None:
        self._is_filling = True
        self.ceiling.setRange(0.0, total_bytes / 2**30)
        if not self.ceiling.hasFocus() or limit_bytes is None:
            self.ceiling.setValue(0.0 if limit_bytes is None else limit_bytes / 2**30)
        self._is_filling = False

    def _on_ceiling_typed(self, gib_value: float) -> None:
        if not self._is_filling:
            self.limit_chosen.emit(round(gib_value * 2**30) if gib_value > 0 else None)

    def _on_unload_pressed(self) -> None:
        self.unload_wanted.emit()
        self.close()

    def _show_alarm(self, alarm: Alarm, text: str) -> None:
        colors = colors_of(self)
        visible = self.isVisible() and self._alarm.isHidden() is bool(alarm)
        self._alarm_icon.setVisible(bool(alarm))
        self._alarm.setVisible(bool(alarm))
        self._alarm.setText(text)
        if alarm:
            tint = colors.danger if alarm > Alarm.TIGHT else colors.warning
            icon = tinted_icon("warning", tint, size=_ICON)
            self._alarm_icon.setPixmap(icon.pixmap(QSize(_ICON, _ICON), self.devicePixelRatio()))
        if visible:
            self.adjustSize()
            self._place()

    def _place(self) -> None:
        kept = QRect(self._kept.mapToGlobal(QPoint(0, 0)), self._kept.size())
        wanted_x = self._right_edge - self.width() + 1
        self.move(place_beside(self.size(), kept, wanted_x, self._kept.screen().availableGeometry()))

    def _retint(self) -> None:
        colors = colors_of(self)
        for segment, swatch in self._swatches.items():
            color = segment_color(segment, colors)
            outline = colors.border_strong if segment is Segment.FREE else color
            swatch.setPixmap(_swatch(color, outline, self.devicePixelRatio()))

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Memory details"))
        self.bar.setAccessibleName(self.tr("Memory ceiling"))
        self._planned_name.setText(self.tr("Planned peak of the engine"))
        self._shared_name.setText(self.tr("In shared system memory"))
        self._ceiling_name.setText(self.tr("Ceiling for the engine"))
        self.ceiling.setAccessibleName(self.tr("Ceiling for the engine in GiB"))
        self.ceiling.setSuffix(" GiB")
        self.unload_button.setText(self.tr("Give the model's memory back"))
        self.unload_button.setToolTip(
            self.tr("For other programs; the model loads again with your next message.")
        )
        self.ceiling.setSpecialValueText(self.tr("none"))
        self.ceiling.setToolTip(
            self.tr("Answers are planned to stay below it; the whole program's memory counts.")
        )
        minutes = round(SPAN_S / 60)
        self._span.setText(
            self.tr("The last {minutes} minutes: the engine filled, all programs as a line").format(
                minutes=minutes
            )
        )


def place_beside(size: QSize, kept: QRect, wanted_x: int, screen: QRect) -> QPoint:
    """Where a panel goes so that it covers nothing of `kept`: above it, below, to its right or left, whatever has room.

    Args:
        size: of the panel.
        kept: what stays visible, in global pixels.
        wanted_x: left edge above or below it.
        screen: that the panel stays on; where nothing has room, it begins at its top left.
    """
    x = max(screen.left(), min(wanted_x, screen.right() - size.width() + 1))
    above, below = kept.top() - SPACE_S - size.height(), kept.bottom() + 1 + SPACE_S
    left, right = kept.left() - SPACE_S - size.width(), kept.right() + 1 + SPACE_S
    y = max(screen.top(), min(kept.bottom() + 1, screen.bottom() + 1) - size.height())
    for corner in (QPoint(x, above), QPoint(x, below), QPoint(right, y), QPoint(left, y)):
        if screen.contains(QRect(corner, size)):
            return corner
    return screen.topLeft()


def _swatch(color: str, outline: str, ratio: float) -> QPixmap:
    pixmap = QPixmap(QSize(_SWATCH, _SWATCH) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(outline), 1))
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(QRectF(0.5, 0.5, _SWATCH - 1, _SWATCH - 1), 3, 3)
    painter.end()
    return pixmap
