"""A combo box that shows where to click."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox

from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import SPACE_S

_ARROW = 14


class ChoiceBox(QComboBox):
    """A combo box with the window's own arrow; a style sheet can only show an arrow of one colour."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        left, top = self.width() - _ARROW - SPACE_S, (self.height() - _ARROW) // 2
        icon = tinted_icon("chevron", colors_of(self).text_secondary, size=_ARROW)
        icon.paint(painter, left, top, _ARROW, _ARROW)
