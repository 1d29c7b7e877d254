"""A video's length as a bar: what an answer names is marked, a click seeks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktopapp.engine.grounding.places import Moment
from desktopapp.engine.media.selection_text import format_time
from desktopapp.ui.theme import colors_of, fonts

_HEIGHT, _BAR, _SIDE = 34, 8, 6
_KEY_STEP_S = 1.0


class TimeTrack(QWidget):
    """Events on a line.

    Signals:
        sought: the person wants to see this second.
    """

    sought = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration_s = 1.0
        self._now_s = 0.0
        self._moments: Sequence[Moment] = ()
        self.setFixedHeight(_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def now_s(self) -> float:
        """The second that is shown."""
        return self._now_s

    @property
    def duration_s(self) -> float:
        """Length of the video as far as it is known."""
        return self._duration_s

    def show_moments(self, moments: Sequence[Moment], duration_s: float) -> None:
        """Mark these.

        Args:
            moments: of the answer.
            duration_s: of the video; 0 where it is not known yet.
        """
        self._moments = moments
        latest = max((moment.end_s or moment.start_s for moment in moments), default=0.0)
        self._duration_s = max(duration_s or latest * 1.1, 0.1)
        self.update()

    def set_now(self, second: float) -> None:
        """Put the mark of what is shown, without a signal."""
        self._now_s = min(max(0.0, second), self._duration_s)
        self.setAccessibleDescription(format_time(self._now_s))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = colors_of(self)
        bar = QRectF(_SIDE, 4, self.width() - 2 * _SIDE, _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.sunken))
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        painter.setBrush(QColor(colors.accent))
        for moment in self._moments:
            left = self._x(moment.start_s)
            right = self._x(moment.end_s) if moment.end_s is not None else left
            painter.drawRoundedRect(QRectF(left - 2, bar.top(), max(4.0, right - left), _BAR), 2, 2)
        painter.setPen(QPen(QColor(colors.text), 2))
        now = self._x(self._now_s)
        painter.drawLine(round(now), 1, round(now), _BAR + 7)
        painter.setFont(fonts().small)
        painter.setPen(QColor(colors.text_secondary))
        words = self.rect().adjusted(_SIDE, _BAR + 8, -_SIDE, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft, format_time(self._now_s))
        painter.drawText(words, Qt.AlignmentFlag.AlignRight, format_time(round(self._duration_s)))
        if self.hasFocus():
            painter.setPen(QPen(QColor(colors.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._seek(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -_KEY_STEP_S, Qt.Key.Key_Right: _KEY_STEP_S}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        self.set_now(self._now_s + step)
        self.sought.emit(self._now_s)

    def _seek(self, x: float) -> None:
        self.set_now((x - _SIDE) / max(1, self.width() - 2 * _SIDE) * self._duration_s)
        self.sought.emit(self._now_s)

    def _x(self, second: float) -> float:
        return _SIDE + (self.width() - 2 * _SIDE) * min(second / self._duration_s, 1.0)
