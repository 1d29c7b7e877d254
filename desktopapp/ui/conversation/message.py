"""What all messages share: they can be reached by Tab, show it, and are copied as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QMenu, QSizePolicy, QWidget

from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import RADIUS_M

if TYPE_CHECKING:
    from desktopapp.ui.conversation.selection import SelectionGroup

RING_PX = 6


class Message(QWidget):
    """One turn of the conversation. Abstract; `abc` cannot say so, since Qt's widgets have a metaclass of their own.

    Args:
        message_id: of the turn.
        parent: as always.
    """

    def __init__(self, message_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message_id = message_id
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def message_text(self) -> str:
        """What `Copy` copies when nothing is selected."""
        raise NotImplementedError

    def group(self) -> SelectionGroup:
        """What is selected together."""
        raise NotImplementedError

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        self.setFixedWidth(width_px)

    def restyle(self) -> None:
        """Take the colours and fonts of now."""
        raise NotImplementedError

    def retranslate(self) -> None:
        """Speak the language of now."""
        raise NotImplementedError

    def process(self, has_time: Callable[[], bool]) -> bool:
        """Show what came. Returns True when nothing is left to do."""
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy and select all, for the message that has the focus."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.group().selected_text() or self.message_text())
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.group().select_all()
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Copy the message."""
        menu = self.build_menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def build_menu(self) -> QMenu:
        """The menu of the message."""
        menu = QMenu(self)
        menu.addAction(self.tr("Copy message"), lambda: QApplication.clipboard().setText(self.message_text()))
        menu.addAction(self.tr("Select all"), self.group().select_all)
        return menu

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ring of the focus."""
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colors_of(self).accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS_M, RADIUS_M)

    def changeEvent(self, event: QEvent) -> None:
        """Speak the language of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
