"""What goes with the next message: a row of cards."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QWidget,
)

from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.ui.attachment_card import CARD_HEIGHT, AttachmentCard
from desktopapp.ui.media.selections import to_fields
from desktopapp.ui.tokens import SPACE_S


class AttachmentStrip(QScrollArea):
    """The cards in order, scrolled sideways when they are many. Hidden while there are none.

    Signals:
        changed: attachments were added or removed, or another part of one was chosen.
        problems_changed: an attachment was found unusable, or usable again.
        selection_changed: another part of the file with this path was chosen.
        frames_wanted: path and seconds whose frames a filmstrip shows.
    """

    changed = Signal()
    problems_changed = Signal()
    selection_changed = Signal(str)
    frames_wanted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[AttachmentCard] = []
        self._has_new = False
        self.setObjectName("attachmentStrip")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._row = QWidget(self)
        self._layout = QHBoxLayout(self._row)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_S)
        self._layout.addStretch()
        self.setWidget(self._row)
        self.setFixedHeight(CARD_HEIGHT + 14)
        self.horizontalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.hide()

    @property
    def paths(self) -> tuple[str, ...]:
        """What is attached, in order."""
        return tuple(card.path for card in self._cards)

    @property
    def cards(self) -> tuple[AttachmentCard, ...]:
        """The cards, in order."""
        return tuple(self._cards)

    @property
    def selections(self) -> dict[str, dict[str, object]]:
        """What was chosen, by path, of files of which not all is taken."""
        fields = {card.path: to_fields(card.selection) for card in self._cards}
        return {path: chosen for path, chosen in fields.items() if chosen}

    def selection(self, path: str) -> MediaSelection:
        """Which part of a file goes along; all of it where it is not attached."""
        card = self.card(path)
        return card.selection if card is not None else WHOLE

    def add(self, path: str, selection: MediaSelection = WHOLE) -> bool:
        """Attach a file; False where it is attached already."""
        if path in self.paths:
            return False
        card = AttachmentCard(path, self._remove, self._row, selection)
        card.problem_changed.connect(self.problems_changed)
        card.selection_changed.connect(lambda: self._on_selected(path))
        card.frames_wanted.connect(lambda positions: self.frames_wanted.emit(path, positions))
        self._cards.append(card)
        self._layout.insertWidget(len(self._cards) - 1, card)
        self._has_new = True
        self.show()
        self.changed.emit()
        return True

    def remove(self, path: str) -> None:
        """Take an attachment away; without effect where it is not attached."""
        card = self.card(path)
        if card:
            self._remove(card)

    def clear(self) -> None:
        """Take all away."""
        for card in self._cards:
            self._discard(card)
        self._cards.clear()
        self.hide()
        self.changed.emit()

    def card(self, path: str) -> AttachmentCard | None:
        """The card of a file, if it is attached."""
        return next((card for card in self._cards if card.path == path), None)

    def reveal(self, path: str) -> None:
        """Scroll an attachment into view; without effect where it is not attached."""
        card = self.card(path)
        if card is not None:
            self.ensureWidgetVisible(card, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A plain mouse wheel scrolls sideways: there is no other way to scroll here."""
        turn = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (turn.x() or turn.y()))
        event.accept()

    def _on_selected(self, path: str) -> None:
        self.selection_changed.emit(path)
        self.changed.emit()

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        # A new card has its place only now.
        if self._has_new:
            self._has_new = False
            self.horizontalScrollBar().setValue(maximum)

    def _remove(self, card: AttachmentCard) -> None:
        index = self._cards.index(card)
        focused = QApplication.focusWidget()
        had_focus = focused is not None and card.isAncestorOf(focused)
        self._cards.remove(card)
        self._discard(card)
        if not self._cards:
            self.hide()
        elif had_focus:
            self._cards[min(index, len(self._cards) - 1)].focus_remove()
        self.changed.emit()

    def _discard(self, card: AttachmentCard) -> None:
        self._layout.removeWidget(card)
        card.hide()
        card.deleteLater()
