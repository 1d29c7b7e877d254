"""Paints the list of conversations: headings, titles, the one that is shown, and the field for a new title."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktopapp.ui.history.model import Index
from desktopapp.ui.history.rows import HistoryRow
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_S, SPACE_M, SPACE_S, Colors

_ROW_HEIGHT = 34
_HEADING_HEIGHT = 34
_LONGEST_TITLE = 120


class HistoryDelegate(QStyledItemDelegate):
    """One line a row. `shown` is the id of the conversation in the window."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self.shown = ""
        made = fonts()
        self._body, self._heading = made.body, QFont(made.small)
        self._heading.setWeight(QFont.Weight.DemiBold)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row: HistoryRow = index.data(Qt.ItemDataRole.UserRole)
        least = QFontMetrics(self._body).height() + SPACE_S
        return QSize(100, max(least, _ROW_HEIGHT if row.conversation else _HEADING_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: HistoryRow = index.data(Qt.ItemDataRole.UserRole)
        colors = colors_of(self._view)
        area: QRect = option.rect
        text = area.adjusted(SPACE_M, 0, -SPACE_M, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if row.conversation is None:
            painter.setFont(self._heading)
            painter.setPen(QColor(colors.text_secondary))
            text.setTop(area.top() + SPACE_S)
        else:
            is_shown = row.conversation.conversation_id == self.shown
            self._paint_ground(painter, area, option.state, is_shown, colors)
            painter.setFont(self._body)
            disabled = row.conversation.is_open_elsewhere
            painter.setPen(QColor(colors.text_disabled if disabled else colors.text))
        words = index.data(Qt.ItemDataRole.DisplayRole)
        metrics = QFontMetrics(painter.font())
        painter.drawText(text, align, metrics.elidedText(words, Qt.TextElideMode.ElideRight, text.width()))
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = QLineEdit(parent)
        field.setMaxLength(_LONGEST_TITLE)
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        area: QRect = option.rect
        editor.setGeometry(area.adjusted(2, 1, -2, -1))

    def _paint_ground(
        self, painter: QPainter, area: QRect, state: QStyle.StateFlag, is_shown: bool, colors: Colors
    ) -> None:
        has_cursor = bool(state & QStyle.StateFlag.State_Selected) and self._view.hasFocus()
        if not (is_shown or has_cursor or state & QStyle.StateFlag.State_MouseOver):
            return
        painter.setPen(QColor(colors.accent) if has_cursor else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent_soft if is_shown else colors.hover))
        painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), RADIUS_S, RADIUS_S)
