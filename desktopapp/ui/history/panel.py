"""The side panel: find an earlier conversation, open it, rename it, delete it and take that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.conversation_history import ConversationSummary
from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.history.delegate import HistoryDelegate
from desktopapp.ui.history.model import HistoryModel
from desktopapp.ui.history.rows import build_rows
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import SPACE_M, SPACE_S

WIDTH = 250
_SEARCH_AFTER_MS = 150
_UNDO_FOR_MS = 10_000


class HistoryPanel(QFrame):
    """Earlier conversations with a field to search them.

    Signals:
        wanted: the list for these words is wanted.
        chosen: id of the conversation to show.
        renamed: id and new title.
        deleted: id of a conversation to delete.
        taken_back: id of a conversation whose deletion is undone.
        left: Esc: the keyboard goes back to the message field.
    """

    wanted = Signal(str)
    chosen = Signal(str)
    renamed = Signal(str, str)
    deleted = Signal(str)
    taken_back = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyPanel")
        self.setFixedWidth(WIDTH)
        self.search = QLineEdit(self)
        self.view = QListView(self)
        self._model = HistoryModel(self)
        self._delegate = HistoryDelegate(self.view)
        self._empty = QLabel(self)
        self._undo_row = QWidget(self)
        self._undo_words = ElidedLabel(self._undo_row)
        self._undo = QPushButton(self._undo_row)
        self._last_deleted = ""
        self._search_timer = QTimer(self, singleShot=True, interval=_SEARCH_AFTER_MS)
        self._undo_timer = QTimer(self, singleShot=True, interval=_UNDO_FOR_MS)
        self._search_icon = self.search.addAction(
            tinted_icon("search", "#000000"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._build()
        self._connect()
        self._retint()
        self._retranslate()

    @property
    def words(self) -> str:
        """What is looked for."""
        return self.search.text().strip()

    def refresh(self) -> None:
        """Ask for the list again."""
        self.wanted.emit(self.words)

    def show_conversations(self, words: str, found: Sequence[ConversationSummary]) -> None:
        """Show what was found; a late answer to older words is left out."""
        if words != self.words or self.view.state() is QAbstractItemView.State.EditingState:
            return
        current = self._id_at(self.view.currentIndex())
        self._model.show(build_rows(found, date.today()))
        self.view.setCurrentIndex(self._model.place_of(current))
        self._empty.setVisible(not found)
        self._empty.setText(
            self.tr("No conversation contains “{words}”.").format(words=words)
            if words
            else self.tr("Your conversations will be listed here.")
        )

    def show_current(self, conversation_id: str) -> None:
        """Mark the conversation that the window shows."""
        self._delegate.shown = conversation_id
        self.view.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.search.clear()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field the arrow goes into the list, and Enter opens its first conversation."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            first = next((place for place, row in enumerate(self._model.rows) if row.conversation), None)
            if first is not None and event.key() == Qt.Key.Key_Down:
                self.view.setFocus(Qt.FocusReason.TabFocusReason)
                self.view.setCurrentIndex(self._model.index(first))
                return True
            if first is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self._model.index(first))
                return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build(self) -> None:
        self.search.setClearButtonEnabled(True)
        self.search.installEventFilter(self)
        view = self.view
        view.setObjectName("historyList")
        view.setMouseTracking(True)
        view.setModel(self._model)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(False)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty.setProperty("role", "secondary")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        self._undo_words.setProperty("role", "secondary")
        self._undo.setProperty("role", "quiet")
        undo = QHBoxLayout(self._undo_row)
        undo.setContentsMargins(SPACE_S, 0, 0, 0)
        undo.addWidget(self._undo_words, 1)
        undo.addWidget(self._undo)
        self._undo_row.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_S, SPACE_M)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.search)
        layout.addWidget(self._empty)
        layout.addWidget(view, 1)
        layout.addWidget(self._undo_row)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._search_timer.start)
        self._search_timer.timeout.connect(self.refresh)
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self._model.renamed.connect(self.renamed)
        self._undo.clicked.connect(self._take_back)
        self._undo_timer.timeout.connect(self._undo_row.hide)
        delete = QAction(self.view)
        delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        delete.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        delete.triggered.connect(lambda: self._delete(self.view.currentIndex()))
        self.view.addAction(delete)

    def _choose(self, index: QModelIndex) -> None:
        conversation_id = self._id_at(index)
        if conversation_id and conversation_id != self._delegate.shown:
            self.show_current(conversation_id)  # a click may be told twice, as click and as activation
            self.chosen.emit(conversation_id)

    def _open_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not self._id_at(index):
            return
        menu = QMenu(self.view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Rename"), lambda: self.view.edit(index))
        menu.addAction(self.tr("Delete"), lambda: self._delete(index))
        menu.popup(self.view.viewport().mapToGlobal(place))

    def _delete(self, index: QModelIndex) -> None:
        conversation_id = self._id_at(index)
        if not conversation_id:
            return
        self._last_deleted = conversation_id
        title = index.data(Qt.ItemDataRole.DisplayRole)
        self._undo_words.set_full_text(self.tr("Deleted: {title}").format(title=title))
        self._undo_row.show()
        self._undo_timer.start()
        self.deleted.emit(conversation_id)

    def _take_back(self) -> None:
        self._undo_timer.stop()
        self._undo_row.hide()
        self.taken_back.emit(self._last_deleted)

    def _id_at(self, index: QModelIndex) -> str:
        """The conversation of a row that can be chosen, else empty."""
        conversation = self._model.rows[index.row()].conversation if index.isValid() else None
        return conversation.conversation_id if conversation and not conversation.is_open_elsewhere else ""

    def _retint(self) -> None:
        self._search_icon.setIcon(tinted_icon("search", colors_of(self).text_secondary, size=16))

    def _retranslate(self) -> None:
        self.search.setPlaceholderText(self.tr("Search conversations"))
        self.search.setAccessibleName(self.tr("Search conversations"))
        self.view.setAccessibleName(self.tr("Conversations"))
        self._undo.setText(self.tr("Undo"))
