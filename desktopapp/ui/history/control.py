"""Opens the panel of earlier conversations and does what the person asks for in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal

from desktopapp.conversation_history import ConversationHistory, ConversationSummary
from desktopapp.ui.conversation_saver import ConversationSaver
from desktopapp.ui.history.panel import WIDTH, HistoryPanel
from desktopapp.ui.main_window import MainWindow


class HistoryControl(QObject):
    """Between the panel and the saver of one window.

    Args:
        window: where the panel opens.
        saver: knows the conversations.

    Signals:
        switch_wanted: id of the conversation to show.
        new_wanted: the conversation that the window shows is deleted.
        toggled: the panel was opened or closed.
    """

    switch_wanted = Signal(str)
    new_wanted = Signal()
    toggled = Signal(bool)

    def __init__(self, window: MainWindow, saver: ConversationSaver, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._saver = saver
        self.panel = HistoryPanel(window)
        self.panel.hide()
        window.add_side_panel(self.panel)
        window.history_button.toggled.connect(self._on_toggled)
        window.search_requested.connect(self._on_search)
        saver.listed.connect(self._on_listed)
        panel = self.panel
        panel.wanted.connect(saver.find)
        panel.chosen.connect(self.switch_wanted)
        panel.renamed.connect(self._on_renamed)
        panel.deleted.connect(self._on_deleted)
        panel.taken_back.connect(self._on_taken_back)
        panel.left.connect(window.focus_composer)

    def begin(self, is_open: bool) -> None:
        """Show the panel as it was left."""
        self._window.history_button.setChecked(is_open)

    def refresh(self) -> None:
        """Bring an open panel up to date."""
        if self.panel.isVisible():
            self.panel.refresh()

    def _on_listed(self, words: str, found: Sequence[ConversationSummary]) -> None:
        # Only now is done what was asked of the writing thread before.
        self.panel.show_current(self._saver.conversation_id)
        self.panel.show_conversations(words, found)

    def _on_toggled(self, is_open: bool) -> None:
        self.panel.setVisible(is_open)
        self._window.widen_for(WIDTH if is_open else 0)
        self.refresh()
        if not is_open:
            self._window.focus_composer()
        self.toggled.emit(is_open)

    def _on_search(self) -> None:
        self._window.history_button.setChecked(True)
        self.panel.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.panel.search.selectAll()

    def _on_renamed(self, conversation_id: str, title: str) -> None:
        self._change(partial(ConversationHistory.rename, conversation_id=conversation_id, title=title))

    def _on_deleted(self, conversation_id: str) -> None:
        if conversation_id == self._saver.conversation_id:
            self.new_wanted.emit()
        self._change(partial(ConversationHistory.delete, conversation_id=conversation_id))

    def _on_taken_back(self, conversation_id: str) -> None:
        self._change(partial(ConversationHistory.take_back, conversation_id=conversation_id))

    def _change(self, change: partial[None]) -> None:
        self._saver.change_history(change)
        self.refresh()
