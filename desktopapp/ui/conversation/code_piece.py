"""A code block: its language, a copy button, and lines that scroll sideways."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget

from desktopapp.ui.conversation.blocks import Code
from desktopapp.ui.conversation.buttons import CopyButton
from desktopapp.ui.conversation.formats import UNBROKEN, Formats, piece_gap_px
from desktopapp.ui.conversation.highlighter import Highlighter
from desktopapp.ui.conversation.lexers import LexerStore
from desktopapp.ui.conversation.prose_pane import paint_quote_bars
from desktopapp.ui.conversation.sanitise import reveal_invisible
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.text_pane import TextPane
from desktopapp.ui.conversation.typography import CODE_LINE_HEIGHT_PERCENT, INDENT_PX, LIST_STEPS
from desktopapp.ui.tokens import RADIUS_M, SPACE_L, SPACE_M, SPACE_S, SPACE_XS

# Laying out one line costs its whole length each time that it grows.
_MAX_LINE_LENGTH = 500


class _CodePane(TextPane):
    """The lines of a code block."""

    def plain_text(self) -> str:
        """The code as it is shown, without the line ends that are there for display only."""
        return self._join(0, self.document().characterCount() - 1)

    def selected_text(self) -> str:
        """The selected code."""
        return self._join(self.textCursor().selectionStart(), self.textCursor().selectionEnd())

    def _join(self, start: int, end: int) -> str:
        parts: list[str] = []
        block = self.document().findBlock(start)
        while block.isValid() and block.position() <= end:
            if parts and not block.blockFormat().boolProperty(UNBROKEN):
                parts.append("\n")
            parts.append(block.text()[max(0, start - block.position()) : end - block.position()])
            block = block.next()
        return "".join(parts)


class CodePiece(QWidget):
    """A code block that grows at its end.

    Args:
        block: its language and where it stands; its text is given to `replace_from`.
        group: what is selected together.
        formats: how it looks.
        lexers: where its lexer comes from.
        parent: as always.
    """

    def __init__(
        self,
        block: Code,
        group: SelectionGroup,
        formats: Formats,
        lexers: LexerStore,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._language = block.language
        self._quote = block.quote
        self._quote_px = block.quote_indent * LIST_STEPS * INDENT_PX
        self._left_px = (block.indent * LIST_STEPS + block.quote) * INDENT_PX
        self._formats = formats
        self._lexers = lexers
        self._source = ""
        self._shown = ""
        self._highlighter: Highlighter | None = None
        self.pane = _CodePane(group, self)
        self.pane.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.pane.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.label = QLabel(reveal_invisible(block.language[:40]), self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.copy_button = CopyButton(with_words=True, parent=self)
        self.copy_button.clicked.connect(lambda: self.copy_button.copy(self.code()))
        self._lay_out()
        self._prepare_document()
        lexers.loaded.connect(self._on_lexer_loaded)
        self._retranslate()

    def code(self) -> str:
        """Exactly what was written between the fences, but for the last line end."""
        return self._source.removesuffix("\n")

    def length(self) -> int:
        """Characters written so far."""
        return len(self._source)

    def replace_from(self, position: int, text: str) -> None:
        """Let the code from a position on be `text`; what is the same already is left alone."""
        self._source = self._source[:position] + text
        self._show()

    def finish_update(self) -> None:
        """Colour what was added and take the room that it needs."""
        if self._highlighter is None:
            self._start_highlighter()
        if self._highlighter is not None:
            self._highlighter.extend()
        self.refresh_height()

    def set_width(self, width_px: int) -> None:
        """The outer width."""
        self.setFixedWidth(width_px)
        self.refresh_height()

    def refresh_height(self) -> None:
        """As high as the lines, and the scroll bar where one is longer than the block."""
        size = self.pane.document().size()
        inner_width = self.width() - self._left_px - 2 * SPACE_L
        is_wide = size.width() > inner_width
        bar = self.pane.horizontalScrollBar().sizeHint().height() if is_wide else 0
        self.pane.setFocusPolicy(Qt.FocusPolicy.StrongFocus if is_wide else Qt.FocusPolicy.ClickFocus)
        height = ceil(size.height()) + bar
        if height != self.pane.minimumHeight():
            self.pane.setFixedHeight(height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        colors = self._formats.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._quote:
            bars = QRectF(self.rect()).adjusted(self._quote_px, 0, 0, 0)
            paint_quote_bars(painter, self._quote, bars, colors)
        painter.setPen(QPen(QColor(colors.border), 1))
        painter.setBrush(QColor(colors.sunken))
        top = piece_gap_px(self._formats.type.em_px) + 0.5
        ground = QRectF(self._left_px + 0.5, top, self.width() - self._left_px - 1, self.height() - top - 0.5)
        painter.drawRoundedRect(ground, RADIUS_M, RADIUS_M)

    def changeEvent(self, event: QEvent) -> None:
        """Speak the language of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _lay_out(self) -> None:
        self.label.setFont(self._formats.type.small)
        self.label.setStyleSheet(f"color: {self._formats.colors.text_secondary}")
        header = QHBoxLayout()
        header.setContentsMargins(SPACE_L, SPACE_XS, SPACE_S, 0)
        header.addWidget(self.label, 1)
        header.addWidget(self.copy_button)
        body = QHBoxLayout()
        body.setContentsMargins(SPACE_L, 0, SPACE_L, SPACE_M)
        body.addWidget(self.pane)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(self._left_px, piece_gap_px(self._formats.type.em_px), 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(header)
        layout.addLayout(body)

    def _prepare_document(self) -> None:
        self._block_format = QTextBlockFormat()
        self._block_format.setLineHeight(
            CODE_LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
        )
        # Code reads from left to right even where its first letter is Hebrew or Arabic.
        self._block_format.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._broken_format = QTextBlockFormat(self._block_format)
        self._broken_format.setProperty(UNBROKEN, True)
        self._char_format = QTextCharFormat()
        self._char_format.setFont(self._formats.type.mono)
        self._char_format.setForeground(QColor(self._formats.colors.text))
        document = self.pane.document()
        document.setDefaultFont(self._formats.type.mono)
        self.pane.setTabStopDistance(4 * self.pane.fontMetrics().horizontalAdvance(" "))
        cursor = QTextCursor(document)
        cursor.setBlockFormat(self._block_format)
        cursor.setBlockCharFormat(self._char_format)

    def _show(self) -> None:
        """Bring the document in step with the source: written at the end, or anew where the past has changed."""
        code = self.code()
        cursor = QTextCursor(self.pane.document())
        if not code.startswith(self._shown):
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
            self._shown, self._highlighter = "", None
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        self._insert(cursor, code[len(self._shown) :])
        cursor.endEditBlock()
        self._shown = code
        own = self.pane.textCursor()
        if own.position() and not own.hasSelection():
            own.setPosition(0)  # the first text took it along, and a long line would be scrolled to its end
            self.pane.setTextCursor(own)

    def _insert(self, cursor: QTextCursor, text: str) -> None:
        for index, line in enumerate(text.split("\n")):
            if index:
                cursor.insertBlock(self._block_format, self._char_format)
            shown = reveal_invisible(line)
            while shown:
                room = _MAX_LINE_LENGTH - (cursor.positionInBlock())
                if room <= 0:
                    cursor.insertBlock(self._broken_format, self._char_format)
                    room = _MAX_LINE_LENGTH
                cursor.insertText(shown[:room], self._char_format)
                shown = shown[room:]

    def _start_highlighter(self) -> None:
        lexer = self._lexers.get(self._language)
        if lexer is not None:
            self._highlighter = Highlighter(self.pane.document(), lexer, self._formats.colors)

    def _on_lexer_loaded(self, language: str) -> None:
        if language == self._language.lower() and self._highlighter is None:
            self.finish_update()

    def _retranslate(self) -> None:
        self.copy_button.describe(self.tr("Copy code"))
        self.pane.setAccessibleName(
            self.tr("Code, %1").replace("%1", self._language) if self._language else self.tr("Code")
        )
