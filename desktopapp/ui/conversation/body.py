"""The Markdown of one answer (or one thought) as a column of panes, brought up to date a slice at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktopapp.ui.conversation.blocks import Block, Code, Prose, Table
from desktopapp.ui.conversation.code_piece import CodePiece
from desktopapp.ui.conversation.formats import Formats
from desktopapp.ui.conversation.lexers import LexerStore
from desktopapp.ui.conversation.prose_pane import ProsePane
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.stream import MarkdownStream
from desktopapp.ui.conversation.table_piece import TablePiece
from desktopapp.ui.conversation.text_pane import TextPane

# A pane of prose is closed at this many characters; selections span panes all the same.
_PANE_LENGTH = 6000
_SLICE_LENGTH = 1024

_Piece = ProsePane | CodePiece | TablePiece


@dataclass(slots=True)
class _Slot:
    """A block that may still change, and where it is shown."""

    block: Block
    piece: _Piece
    start: int
    previous: Block | None


class MarkdownBody(QWidget):
    """Shows Markdown that grows at its end.

    Args:
        lexers: for code blocks.
        make_formats: gives the formats for the colours of now.
        parent: as always.
    """

    link_clicked = Signal(str)

    def __init__(
        self, lexers: LexerStore, make_formats: Callable[[], Formats], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._lexers = lexers
        self._make_formats = make_formats
        self._formats = make_formats()
        self._parts: list[str] = []
        self._pending = ""
        self._is_finished = False
        self._is_closed = False
        self._width_px = 600
        self.group = SelectionGroup(self.panes)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._reset()

    def source(self) -> str:
        """Everything that was fed."""
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def plain_text(self) -> str:
        """What is shown, as text."""
        return "\n".join(pane.plain_text() for pane in self.panes())

    def panes(self) -> list[TextPane]:
        """The panes from top to bottom."""
        return [piece if isinstance(piece, ProsePane) else piece.pane for piece in self._pieces]

    def code_pieces(self) -> list[CodePiece]:
        """The code blocks from top to bottom."""
        return [piece for piece in self._pieces if isinstance(piece, CodePiece)]

    def feed(self, text: str) -> None:
        """Add text; `process` shows it."""
        self._parts.append(text)
        self._pending += text

    def finish(self) -> None:
        """No more text comes."""
        self._is_finished = True

    def process(self, has_time: Callable[[], bool]) -> bool:
        """Show what was fed, as long as there is time.

        Args:
            has_time: asked after each slice.

        Returns:
            True when everything is shown.
        """
        while self._pending:
            piece, self._pending = self._pending[:_SLICE_LENGTH], self._pending[_SLICE_LENGTH:]
            self._stream.feed(piece)
            self._show()
            if self._pending and not has_time():
                return False
        if self._is_finished and not self._is_closed:
            self._is_closed = True
            self._stream.finish()
            self._show()
        return True

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        if width_px != self._width_px:
            self._width_px = width_px
            for piece in self._pieces:
                piece.set_width(width_px)

    def restyle(self) -> None:
        """Show everything anew in the colours and fonts of now."""
        self._formats = self._make_formats()
        self.setUpdatesEnabled(False)
        self._reset()
        self._pending = self.source()
        self.process(lambda: True)
        self.setUpdatesEnabled(True)

    def _reset(self) -> None:
        for piece in getattr(self, "_pieces", ()):
            self._layout.removeWidget(piece)
            piece.hide()
            piece.deleteLater()
        self._pieces: list[_Piece] = []
        self._slots: list[_Slot] = []
        self._last: Block | None = None
        self._stream = MarkdownStream()
        self._is_closed = False

    def _show(self) -> None:
        """Bring the panes in step with the stream; only what differs from the last time is laid out."""
        closed = self._stream.take_closed()
        blocks = [*closed, *self._stream.open_blocks()]
        same = 0
        while same < min(len(blocks), len(self._slots)) and blocks[same] == self._slots[same].block:
            same += 1
        touched: list[_Piece] = []
        while len(self._slots) > same + 1:
            touched += self._remove(self._slots.pop())
        if len(self._slots) > same and len(blocks) > same and self._change(self._slots[same], blocks[same]):
            touched.append(self._slots[same].piece)
            same += 1
        elif len(self._slots) > same:
            touched += self._remove(self._slots.pop())
        for block in blocks[same:]:
            touched.append(self._append(block))
        for piece in dict.fromkeys(touched):
            if piece in self._pieces:
                self._refresh(piece)
        del self._slots[: len(closed)]

    def _change(self, slot: _Slot, block: Block) -> bool:
        """Let the last slot show another block of its kind in place. False where it has to be made anew."""
        old = slot.block
        if isinstance(slot.piece, ProsePane) and isinstance(block, Prose):
            previous = slot.previous if isinstance(slot.previous, Prose) else None
            is_first = slot.start == 0 and slot.piece is self._pieces[0]
            slot.piece.rewrite(slot.start, block, previous, first=is_first)
        elif isinstance(slot.piece, CodePiece) and isinstance(block, Code) and isinstance(old, Code):
            if _place(old) != _place(block) or (old.language, old.continued) != (
                block.language,
                block.continued,
            ):
                return False
            slot.piece.replace_from(slot.start, block.text)
        elif isinstance(slot.piece, TablePiece) and isinstance(block, Table) and isinstance(old, Table):
            if _place(old) != _place(block) or old.continued != block.continued:
                return False
            slot.piece.show_table(block)
        else:
            return False
        slot.block = self._last = block
        return True

    def _remove(self, slot: _Slot) -> list[_Piece]:
        """Take a block away; returns the piece that is smaller now, if it is still there."""
        self._last = slot.previous
        if isinstance(slot.piece, ProsePane):
            slot.piece.truncate(slot.start)
            if slot.start:
                return [slot.piece]
        elif isinstance(slot.piece, CodePiece) and slot.start:
            slot.piece.replace_from(slot.start, "")
            return [slot.piece]
        self._pieces.remove(slot.piece)
        self._layout.removeWidget(slot.piece)
        slot.piece.hide()
        slot.piece.deleteLater()
        return []

    def _append(self, block: Block) -> _Piece:
        last_piece = self._pieces[-1] if self._pieces else None
        start = 0
        piece: _Piece
        if isinstance(block, Prose):
            if isinstance(last_piece, ProsePane) and last_piece.length() < _PANE_LENGTH:
                pane = last_piece
            else:
                pane = ProsePane(self.group, self._formats, self._width_px, self)
            previous = self._last if isinstance(self._last, Prose) else None
            start = pane.add_prose(block, previous, first=not self._pieces)
            piece = pane
        elif isinstance(block, Code):
            if isinstance(last_piece, CodePiece) and block.continued:
                code = last_piece
            else:
                code = self._make_code(block)
            start = code.length()
            code.replace_from(start, block.text)
            piece = code
        else:
            above = last_piece if isinstance(last_piece, TablePiece) and block.continued else None
            piece = TablePiece(block, above, self.group, self._formats, self._width_px, self)
        if piece is not last_piece:
            self._add_piece(piece)
        self._slots.append(_Slot(block, piece, start, self._last))
        self._last = block
        return piece

    def _make_code(self, block: Code) -> CodePiece:
        piece = CodePiece(block, self.group, self._formats, self._lexers, self)
        piece.set_width(self._width_px)
        return piece

    def _add_piece(self, piece: _Piece) -> None:
        pane = piece if isinstance(piece, ProsePane) else piece.pane
        pane.link_clicked.connect(self.link_clicked)
        self._pieces.append(piece)
        self._layout.addWidget(piece)
        piece.show()

    def _refresh(self, piece: _Piece) -> None:
        if isinstance(piece, ProsePane):
            piece.refresh_height()
        elif isinstance(piece, CodePiece):
            piece.finish_update()


def _place(block: Block) -> tuple[int, int]:
    return block.indent, block.quote
