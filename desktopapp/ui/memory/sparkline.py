"""Memory of the last minutes as a small curve."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktopapp.ui.memory.history import SPAN_S, History
from desktopapp.ui.theme import colors_of


class Sparkline(QWidget):
    """The engine's memory filled, that of all programs as a line above it; the right edge is now.

    Args:
        history: what to draw; read at each painting.
        size: wanted, pixels.
        parent: of the widget.
    """

    def __init__(self, history: History, size: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return self._size

    def minimumSizeHint(self) -> QSize:
        return self._size

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0, 1, 0, -1)
        painter.setPen(QPen(QColor(colors.border), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        moments = self._history.moments
        if len(moments) > 1:
            now_s = moments[-1].time_s

            def place(time_s: float, share: float) -> QPointF:
                x = area.right() - (now_s - time_s) / SPAN_S * area.width()
                return QPointF(x, area.bottom() - min(1.0, share) * area.height())

            engine = [place(moment.time_s, moment.engine) for moment in moments]
            ends = [QPointF(engine[-1].x(), area.bottom()), QPointF(engine[0].x(), area.bottom())]
            fill = QColor(colors.accent)
            fill.setAlphaF(0.35)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF([*engine, *ends]))
            painter.setPen(QPen(QColor(colors.accent), 1.2))
            painter.drawPolyline(QPolygonF(engine))
            painter.setPen(QPen(QColor(colors.text_secondary), 1.2))
            painter.drawPolyline(QPolygonF([place(moment.time_s, moment.used) for moment in moments]))
        painter.end()
