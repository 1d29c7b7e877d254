"""The bar: a device's memory in segments, the planned peak as a mark, the ceiling as a handle."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from desktopapp.engine.memory.account import Account, Segment
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import Colors

STEPS_A_GIB = 10
"""A ceiling is a whole number of these, as a person would write it."""

_SMALLEST_STEP = 5  # half a GiB: less than any model's runtime takes
_KEY_STEPS = 2
_PAGE_STEPS = 10
_HANDLE_REACH_PX = 9
_SIDE = 6  # room for half a handle at either end


def segment_color(segment: Segment, colors: Colors) -> str:
    """The colour of a segment, `#rrggbb`."""
    return {
        Segment.WEIGHTS: colors.accent,
        Segment.VISION: colors.gauge_vision,
        Segment.KV_CACHE: colors.gauge_kv_cache,
        Segment.WORKSPACE: colors.gauge_workspace,
        Segment.OTHER: colors.gauge_other,
        Segment.FREE: colors.border,
    }[segment]


class MemoryBar(QAbstractSlider):
    """A slider of the ceiling, drawn over the segments. Its last step is "no ceiling".

    Args:
        height: of the bar itself, pixels.
        parent: of the widget.

    Signals:
        limit_moved: the handle moves; carries bytes or None.
        limit_chosen: it was let go there.
        pressed_elsewhere: a click beside the handle.
    """

    limit_moved = Signal(object)
    limit_chosen = Signal(object)
    pressed_elsewhere = Signal()

    def __init__(self, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar_height = height
        self._account: Account | None = None
        self._planned_bytes: int | None = None
        self._limit_bytes: int | None = None
        self._is_dragging = False
        self._is_hovered = False
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSingleStep(_KEY_STEPS)
        self.setPageStep(_PAGE_STEPS)
        self.valueChanged.connect(self._on_value_changed)

    @property
    def limit_bytes(self) -> int | None:
        """The ceiling; None for none."""
        return self._limit_bytes

    def show_account(self, account: Account) -> None:
        """Show where the bytes went."""
        if self._account is None or self._account.total_bytes != account.total_bytes:
            self._account = account
            self._place_limit()
        self._account = account
        self.update()

    def show_planned(self, peak_bytes: int | None) -> None:
        """Mark what the engine is going to use at most; None takes the mark away."""
        self._planned_bytes = peak_bytes
        self.update()

    def show_limit(self, limit_bytes: int | None) -> None:
        """Show another ceiling; emits nothing."""
        self._limit_bytes = limit_bytes
        self._place_limit()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(180, self._bar_height + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(72, self._bar_height + 10)

    def segment_at(self, x: float) -> Segment | None:
        """Which segment is drawn at a place; None outside."""
        for segment, area in self._areas():
            if area.left() <= x < area.right():
                return segment
        return None

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        track = self._track()
        painter.save()
        rounded = QPainterPath()
        rounded.addRoundedRect(track, 3, 3)
        painter.setClipPath(rounded)
        painter.fillRect(track, QColor(segment_color(Segment.FREE, colors)))
        for segment, area in self._areas():
            painter.fillRect(area, QColor(segment_color(segment, colors)))
            # A hairline between neighbours, for eyes that do not tell their colours apart.
            painter.fillRect(QRectF(area.right() - 1, area.top(), 1, area.height()), QColor(colors.window))
        painter.restore()
        # The free part is close to the ground that the bar lies on.
        painter.setPen(QPen(QColor(colors.border_strong), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(track.adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)
        self._paint_planned(painter, colors)
        self._paint_handle(painter, colors)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed_elsewhere.emit()
            return
        before = self.value()
        super().keyPressEvent(event)
        if self.value() != before:
            self.limit_chosen.emit(self._limit_bytes)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            event.ignore()
        elif self._is_at_handle(event.position()):
            self._is_dragging = True
            self.setSliderDown(True)
        else:
            self.pressed_elsewhere.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._is_dragging:
            self.setValue(self._value_at(event.position().x()))
            return
        at_handle = self._is_at_handle(event.position())
        self.setCursor(Qt.CursorShape.SizeHorCursor if at_handle else Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._is_dragging:
            self._is_dragging = False
            self.setSliderDown(False)
            self.limit_chosen.emit(self._limit_bytes)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self._is_hovered = event.type() == QEvent.Type.Enter
            self.update()
        return super().event(event)

    def _paint_planned(self, painter: QPainter, colors: Colors) -> None:
        if self._planned_bytes is None or self._account is None or not self._account.total_bytes:
            return
        x, track = self._x_of(self._planned_bytes), self._track()
        painter.setPen(QPen(QColor(colors.text), 1.5))
        painter.drawLine(QPointF(x, track.top() - 1), QPointF(x, track.bottom() + 1))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.text))
        top = track.top() - 4
        painter.drawPolygon(QPolygonF([QPointF(x - 3, top), QPointF(x + 3, top), QPointF(x, top + 4)]))

    def _paint_handle(self, painter: QPainter, colors: Colors) -> None:
        if self._account is None or not self._account.total_bytes:
            return
        track = self._track()
        x = self._handle_x()
        # Beyond the ceiling nothing of the engine's may lie.
        if self._limit_bytes is not None:
            beyond = QRectF(QPointF(x, track.top()), track.bottomRight())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.fillRect(beyond, QBrush(QColor(colors.text_secondary), Qt.BrushStyle.BDiagPattern))
        strong = self.hasFocus() or self._is_dragging or self._is_hovered
        width = 5 if strong else 4
        handle = QRectF(x - width / 2, track.top() - 4, width, track.height() + 8)
        painter.setPen(QPen(QColor(colors.window), 1))
        painter.setBrush(QColor(colors.accent if self.hasFocus() else colors.text_secondary))
        painter.drawRoundedRect(handle, width / 2, width / 2)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colors.accent), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 0.5, -1, -0.5), 5, 5)

    def _track(self) -> QRectF:
        top = (self.height() - self._bar_height) / 2
        return QRectF(_SIDE, top, max(1, self.width() - 2 * _SIDE), self._bar_height)

    def _areas(self) -> list[tuple[Segment, QRectF]]:
        """Each used segment's place, from left to right."""
        account = self._account
        if account is None or not account.total_bytes:
            return []
        track, left = self._track(), 0
        areas: list[tuple[Segment, QRectF]] = []
        for segment, size_bytes in account.segments.items():
            if size_bytes and segment is not Segment.FREE:
                start, end = self._x_of(left), self._x_of(left + size_bytes)
                areas.append((segment, QRectF(start, track.top(), end - start, track.height())))
            left += size_bytes
        return areas

    def _x_of(self, size_bytes: int) -> float:
        track = self._track()
        total = self._account.total_bytes if self._account else 0
        return track.left() + track.width() * min(1.0, size_bytes / total if total else 0.0)

    def _handle_x(self) -> float:
        return self._track().right() if self._limit_bytes is None else self._x_of(self._limit_bytes)

    def _is_at_handle(self, place: QPointF) -> bool:
        return self._account is not None and abs(place.x() - self._handle_x()) <= _HANDLE_REACH_PX

    def _value_at(self, x: float) -> int:
        track = self._track()
        total = self._account.total_bytes if self._account else 0
        return round((x - track.left()) / track.width() * total / 2**30 * STEPS_A_GIB)

    def _place_limit(self) -> None:
        """Bring the slider's range and value in step with device and ceiling."""
        total = self._account.total_bytes if self._account else 0
        most = max(1, math.ceil(total / 2**30 * STEPS_A_GIB))
        self.blockSignals(True)
        self.setRange(min(_SMALLEST_STEP, most), most)
        limit = self._limit_bytes
        self.setValue(most if limit is None else round(limit / 2**30 * STEPS_A_GIB))
        self.blockSignals(False)

    def _on_value_changed(self, value: int) -> None:
        self._limit_bytes = None if value >= self.maximum() else value * 2**30 // STEPS_A_GIB
        self.update()
        self.limit_moved.emit(self._limit_bytes)
