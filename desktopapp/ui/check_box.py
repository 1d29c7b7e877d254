"""A box to tick, with a tick: style sheets can only put files into it, which know nothing of the theme's colours."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from desktopapp.ui.theme import colors_of

# Of the box's side, from its upper left corner.
_TICK = ((0.25, 0.53), (0.43, 0.71), (0.76, 0.32))
_PEN_SHARE = 0.13


class CheckBox(QCheckBox):
    """Like any other; the style sheet draws the box, this the tick."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self))
        pen = QPen(QColor(colors_of(self).on_accent), _PEN_SHARE * box.width())
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        painter.drawPolyline(
            QPolygonF([box.topLeft() + QPointF(x * box.width(), y * box.height()) for x, y in _TICK])
        )
        painter.end()
