"""One selection over several panes of text, so that a message can be selected and copied as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from desktopapp.ui.conversation.text_pane import TextPane


class SelectionGroup:
    """The panes of one message, from top to bottom.

    Args:
        panes: gives them as they are now.
    """

    def __init__(self, panes: Callable[[], Sequence[TextPane]]) -> None:
        self._panes = panes

    def selected_text(self) -> str:
        """What is selected in all panes, a line end between them."""
        return "\n".join(pane.selected_text() for pane in self._panes() if pane.textCursor().hasSelection())

    def select_all(self) -> None:
        """Select every pane."""
        for pane in self._panes():
            pane.selectAll()

    def clear_others(self, kept: TextPane | None) -> None:
        """Remove the selection of all panes but one."""
        for pane in self._panes():
            if pane is not kept and pane.textCursor().hasSelection():
                cursor = pane.textCursor()
                cursor.clearSelection()
                pane.setTextCursor(cursor)

    def copy(self) -> None:
        """Put what is selected on the clipboard; leave it alone when nothing is."""
        text = self.selected_text()
        if text:
            QApplication.clipboard().setText(text)

    def extend(self, origin: TextPane, global_position: QPoint) -> bool:
        """Select from where the drag began in `origin` to a point in another pane.

        Returns:
            False when the point is at `origin`'s height: it then selects by itself.
        """
        panes = list(self._panes())
        if origin not in panes:
            return False
        start, end = panes.index(origin), _index_at(panes, global_position)
        if start == end:
            self.clear_others(origin)
            return False
        low, high = min(start, end), max(start, end)
        for index, pane in enumerate(panes):
            if index == start:
                _select(pane, pane.textCursor().anchor(), _edge(pane, at_end=end > start))
            elif index == end:
                point = pane.viewport().mapFromGlobal(global_position)
                _select(pane, _edge(pane, at_end=end < start), pane.cursorForPosition(point).position())
            elif low < index < high:
                pane.selectAll()
        for index, pane in enumerate(panes):
            if not low <= index <= high:
                _select(pane, 0, 0)
        return True


def _index_at(panes: Sequence[TextPane], position: QPoint) -> int:
    """The lowest pane that begins above a point."""
    tops = [pane.mapToGlobal(QPoint(0, 0)).y() for pane in panes]
    return max((index for index, top in enumerate(tops) if top <= position.y()), default=0)


def _edge(pane: TextPane, *, at_end: bool) -> int:
    return pane.document().characterCount() - 1 if at_end else 0


def _select(pane: TextPane, anchor: int, position: int) -> None:
    cursor = pane.textCursor()
    if (cursor.anchor(), cursor.position()) == (anchor, position):
        return
    cursor.setPosition(anchor)
    cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
    pane.setTextCursor(cursor)
