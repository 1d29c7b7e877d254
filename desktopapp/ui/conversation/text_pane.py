"""A piece of text that can be selected, copied and clicked, and that never loads anything."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPalette,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QTextEdit, QWidget

from desktopapp.engine.media.selection_text import format_time
from desktopapp.ui.conversation.sanitise import is_web_address
from desktopapp.ui.conversation.seek_links import is_followable, seek_second
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.typography import INDENT_PX


class SafeDocument(QTextDocument):
    """A document that has no resources: whatever asks for a picture or a style sheet gets nothing."""

    def loadResource(self, resource_type: int, name: QUrl | str) -> object:
        """Nothing, from nowhere."""
        return None


class TextPane(QTextEdit):
    """Read-only text as high as its content; the conversation around it scrolls.

    Args:
        group: what is selected and copied together with it.
        parent: as always.
    """

    link_clicked = Signal(str)

    def __init__(self, group: SelectionGroup, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = group
        self._pressed_link = ""
        document = SafeDocument(self)
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(INDENT_PX)
        self.setDocument(document)
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAcceptDrops(False)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)

    def loadResource(self, resource_type: int, name: QUrl | str) -> object:
        """Nothing, from nowhere."""
        return None

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Nothing is dropped into an answer."""
        return False

    def createMimeDataFromSelection(self) -> QMimeData:
        """What is selected, as plain text only."""
        data = QMimeData()
        data.setText(self._group.selected_text())
        return data

    def selected_text(self) -> str:
        """The selected characters of this pane."""
        return self.textCursor().selection().toPlainText()

    def plain_text(self) -> str:
        """All characters of this pane."""
        return self.toPlainText()

    def address_at(self, position: QPoint) -> str:
        """The address of the link under a point of the viewport, or empty."""
        address = self.anchorAt(position)
        return address if is_followable(address) else ""

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a selection, or a click on a link."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._group.clear_others(self)
            self._pressed_link = self.address_at(event.position().toPoint())
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extend the selection, over the panes above and below as well; say where a link leads."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            if not self._group.extend(self, event.globalPosition().toPoint()):
                super().mouseMoveEvent(event)
            return
        address = self.address_at(event.position().toPoint())
        self.viewport().setToolTip(self._words_for(address))
        shape = Qt.CursorShape.PointingHandCursor if address else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A link is followed when it was pressed and released without selecting."""
        super().mouseReleaseEvent(event)
        pressed, self._pressed_link = self._pressed_link, ""
        if event.button() != Qt.MouseButton.LeftButton or not pressed:
            return
        if pressed == self.address_at(event.position().toPoint()) and not self._group.selected_text():
            self.link_clicked.emit(pressed)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll sideways here; everything else is the conversation's."""
        bar = self.horizontalScrollBar()
        delta = event.angleDelta()
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sideways = delta.x() or (delta.y() if shifted else 0)
        if bar.maximum() > 0 and sideways and abs(delta.x()) >= abs(0 if shifted else delta.y()):
            bar.setValue(bar.value() - sideways // 2)
            event.accept()
        else:
            event.ignore()

    def _words_for(self, address: str) -> str:
        """What a link's tool tip says."""
        second = seek_second(address)
        if second is None:
            return shown_address(address)
        return self.tr("Show %1").replace("%1", format_time(second))

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Select all and copy work on the whole message; Enter follows the link at the caret."""
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self._group.select_all()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._group.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._focused_address():
            self.link_clicked.emit(self._focused_address())
        elif event.modifiers() == Qt.KeyboardModifier.NoModifier and not self.horizontalScrollBar().maximum():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from link to link before it leaves."""
        return self.select_link(forward) or super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Coming by Tab selects the first link."""
        super().focusInEvent(event)
        tab = Qt.FocusReason.TabFocusReason
        if event.reason() in (tab, Qt.FocusReason.BacktabFocusReason):
            self._group.clear_others(None)
            self.select_link(event.reason() == tab)

    def select_link(self, forward: bool) -> bool:
        """Select the next link after the selection, or the one before it. False when there is none."""
        cursor = self.textCursor()
        spans = self.link_spans()
        if forward:
            edge = cursor.selectionEnd() if cursor.hasSelection() else -1
            found = next((span for span in spans if span[0] >= edge), None)
        else:
            edge = cursor.selectionStart() if cursor.hasSelection() else self.document().characterCount()
            found = next((span for span in reversed(spans) if span[1] <= edge), None)
        if found is None:
            return False
        cursor.setPosition(found[0])
        cursor.setPosition(found[1], QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        return True

    def link_spans(self) -> list[tuple[int, int]]:
        """Begin and end of each link, in characters."""
        spans: list[tuple[int, int]] = []
        block = self.document().begin()
        while block.isValid():
            iterator = block.begin()
            while not iterator.atEnd():
                fragment = iterator.fragment()
                if fragment.charFormat().isAnchor():
                    spans.append((fragment.position(), fragment.position() + fragment.length()))
                iterator += 1
            block = block.next()
        return spans

    def _focused_address(self) -> str:
        cursor = self.textCursor()
        address = cursor.charFormat().anchorHref() if cursor.hasSelection() else ""
        return address if is_followable(address) else ""

    # Menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Copy, select all, and what can be done with a link."""
        menu = self.build_menu(event.pos())
        menu.exec(event.globalPos())
        menu.deleteLater()

    def build_menu(self, position: QPoint) -> QMenu:
        """The menu for a point of the viewport."""
        menu = QMenu(self)
        copy = menu.addAction(self.tr("Copy"), self._group.copy)
        copy.setEnabled(bool(self._group.selected_text()))
        menu.addAction(self.tr("Select all"), self._group.select_all)
        address = self.address_at(position)
        if is_web_address(address):
            menu.addSeparator()
            menu.addAction(self.tr("Open link"), lambda: self.link_clicked.emit(address))
            menu.addAction(self.tr("Copy link address"), lambda: QApplication.clipboard().setText(address))
        return menu

    def changeEvent(self, event: QEvent) -> None:
        """Keep the ground transparent when the palette changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            transparent = self.palette()
            if transparent.color(QPalette.ColorRole.Base).alpha():
                transparent.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
                self.setPalette(transparent)


def shown_address(address: str) -> str:
    """An address as plain ASCII: international hosts in punycode, everything invisible percent-encoded.

    `<` is encoded as well, so that a tool tip never takes it for rich text.
    """
    if not address:
        return ""
    encoded = QUrl(address).toEncoded(QUrl.ComponentFormattingOption.FullyEncoded)
    return bytes(encoded.data()).decode("ascii", "replace")
