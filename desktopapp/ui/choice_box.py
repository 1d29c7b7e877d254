"""A drop-down list with the program's own arrow."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox

from desktopapp.ui.icons import tinted_pixmap
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import SPACE_S

_ARROW_PX = 14


class ChoiceBox(QComboBox):
    """One of a few; a style sheet can only show an arrow of one colour."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        arrow = tinted_pixmap("chevron", colors_of(self).text_secondary, _ARROW_PX, self.devicePixelRatio())
        top = (self.height() - _ARROW_PX) // 2
        is_mirrored = self.isRightToLeft()
        painter.drawPixmap(SPACE_S if is_mirrored else self.width() - _ARROW_PX - SPACE_S, top, arrow)
