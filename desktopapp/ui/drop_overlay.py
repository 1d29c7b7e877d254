"""What the window looks like while files are dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktopapp.ui.icons import tinted_pixmap
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_L, SPACE_M

_ICON = 40


class DropOverlay(QWidget):
    """Covers its parent and lets the pointer through, so that the drop reaches the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def cover(self) -> None:
        """Appear over the whole parent."""
        self.setGeometry(self._covered.rect())
        self.setAccessibleName(self._text())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colors.window)
        veil.setAlphaF(0.88)
        painter.fillRect(self.rect(), veil)
        area = QRectF(self.rect()).adjusted(SPACE_M, SPACE_M, -SPACE_M, -SPACE_M)
        painter.setPen(QPen(QColor(colors.accent), 2, Qt.PenStyle.DashLine))
        ground = QColor(colors.accent_soft)
        ground.setAlphaF(0.6)
        painter.setBrush(ground)
        painter.drawRoundedRect(area, RADIUS_L, RADIUS_L)
        centre = area.center()
        painter.drawPixmap(
            round(centre.x() - _ICON / 2),
            round(centre.y() - _ICON),
            tinted_pixmap("drop", colors.accent, _ICON, self.devicePixelRatio()),
        )
        painter.setFont(fonts().title)
        painter.setPen(QColor(colors.text))
        below = QRectF(area.left(), centre.y() + SPACE_M, area.width(), 40)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._text())
        painter.end()

    def _text(self) -> str:
        return self.tr("Drop to attach")
