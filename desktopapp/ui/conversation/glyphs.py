"""The conversation's small pictures, drawn as strokes in a square of 16 units so that they are sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

UNITS = 16


def _copy(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5.5, 5.5, 8, 8), 2, 2)
    path.moveTo(10.5, 3)
    path.lineTo(10.5, 2.9)
    path.arcTo(QRectF(7.5, 2.5, 3, 3), 0, 90)
    path.lineTo(4.5, 2.5)
    path.arcTo(QRectF(2.5, 2.5, 4, 4), 90, 90)
    path.lineTo(2.5, 9)
    path.arcTo(QRectF(2.5, 7.5, 3, 3), 180, 90)


def _check(path: QPainterPath) -> None:
    path.moveTo(3, 8.5)
    path.lineTo(6.5, 12)
    path.lineTo(13, 4.5)


def _retry(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(3, 3, 10, 10), 30)
    path.arcTo(QRectF(3, 3, 10, 10), 30, 300)
    path.moveTo(12.6, 2.2)
    path.lineTo(12.6, 5.6)
    path.lineTo(9.2, 5.6)


def _chevron_right(path: QPainterPath) -> None:
    path.moveTo(6, 4)
    path.lineTo(10, 8)
    path.lineTo(6, 12)


def _chevron_down(path: QPainterPath) -> None:
    path.moveTo(4, 6)
    path.lineTo(8, 10)
    path.lineTo(12, 6)


def _arrow_down(path: QPainterPath) -> None:
    path.moveTo(8, 3)
    path.lineTo(8, 13)
    path.moveTo(3.8, 8.8)
    path.lineTo(8, 13)
    path.lineTo(12.2, 8.8)


def _play(path: QPainterPath) -> None:
    path.moveTo(5, 3.2)
    path.lineTo(12.6, 8)
    path.lineTo(5, 12.8)
    path.closeSubpath()


def _pause(path: QPainterPath) -> None:
    for x in (5.5, 10.5):
        path.moveTo(x, 3.5)
        path.lineTo(x, 12.5)


def _look_closer(path: QPainterPath) -> None:
    path.addEllipse(QRectF(2.5, 2.5, 8, 8))
    path.moveTo(9.6, 9.6)
    path.lineTo(13.5, 13.5)
    path.moveTo(6.5, 4.8)
    path.lineTo(6.5, 8.2)
    path.moveTo(4.8, 6.5)
    path.lineTo(8.2, 6.5)


def _info(path: QPainterPath) -> None:
    path.addEllipse(QRectF(2.5, 2.5, 11, 11))
    path.moveTo(8, 7.4)
    path.lineTo(8, 11)
    path.moveTo(8, 4.9)
    path.lineTo(8, 5.1)


def _close(path: QPainterPath) -> None:
    path.moveTo(4.2, 4.2)
    path.lineTo(11.8, 11.8)
    path.moveTo(11.8, 4.2)
    path.lineTo(4.2, 11.8)


def _alert(path: QPainterPath) -> None:
    path.addEllipse(QRectF(2, 2, 12, 12))
    path.moveTo(8, 5)
    path.lineTo(8, 8.8)
    path.moveTo(8, 11)
    path.lineTo(8, 11.1)


def _picture(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(2, 3, 12, 10), 2, 2)
    path.addEllipse(QPointF(5.6, 6.4), 1, 1)
    path.moveTo(2.6, 12)
    path.lineTo(6.6, 9)
    path.lineTo(8.6, 10.6)
    path.lineTo(11, 8)
    path.lineTo(13.8, 10.8)


_DRAWERS: dict[str, Callable[[QPainterPath], None]] = {
    "copy": _copy,
    "check": _check,
    "retry": _retry,
    "chevron-right": _chevron_right,
    "chevron-down": _chevron_down,
    "arrow-down": _arrow_down,
    "close": _close,
    "info": _info,
    "play": _play,
    "pause": _pause,
    "look-closer": _look_closer,
    "alert": _alert,
    "picture": _picture,
}


def draw_glyph(painter: QPainter, name: str, rect: QRectF, color: QColor) -> None:
    """Stroke a glyph into a square.

    Args:
        painter: in any state; it is restored.
        name: a key of `_DRAWERS`.
        rect: the square, in device-independent pixels.
        color: of the stroke.
    """
    path = QPainterPath()
    _DRAWERS[name](path)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / UNITS, rect.height() / UNITS)
    painter.setPen(
        QPen(color, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    painter.restore()
