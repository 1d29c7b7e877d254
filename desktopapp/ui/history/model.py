"""The rows of the list of conversations for Qt's list view."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktopapp.ui.history.rows import HistoryRow, Period

Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """Headings can be read only; conversations can be chosen and renamed in place.

    Signals:
        renamed: id of a conversation and the title that the person typed.
    """

    renamed = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[HistoryRow] = []

    def show(self, rows: list[HistoryRow]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def place_of(self, conversation_id: str) -> QModelIndex:
        """Where a conversation stands; invalid where it does not."""
        for place, row in enumerate(self.rows):
            if row.conversation is not None and row.conversation.conversation_id == conversation_id:
                return self.index(place)
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        conversation = self.rows[index.row()].conversation if index.isValid() else None
        if conversation is None:
            return Qt.ItemFlag.NoItemFlags
        usable = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
        if not conversation.is_open_elsewhere:
            usable |= Qt.ItemFlag.ItemIsEnabled
        return usable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        conversation = row.conversation
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return conversation.title if conversation is not None else self.period_words(row.period)
        if role == Qt.ItemDataRole.ToolTipRole and conversation is not None:
            elsewhere = self.tr("Open in another window")
            return elsewhere if conversation.is_open_elsewhere else conversation.title
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        conversation = self.rows[index.row()].conversation
        if conversation is None or role != Qt.ItemDataRole.EditRole or value == conversation.title:
            return False
        self.renamed.emit(conversation.conversation_id, str(value))
        return True

    def period_words(self, period: Period) -> str:
        """A heading."""
        return {
            Period.TODAY: self.tr("Today"),
            Period.YESTERDAY: self.tr("Yesterday"),
            Period.WEEK: self.tr("Last 7 days"),
            Period.MONTH: self.tr("Last 30 days"),
            Period.EARLIER: self.tr("Earlier"),
        }[period]
