"""Colours code while it is being written, without reading again what was read long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from desktopapp.ui.tokens import Colors

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_WINDOW_LENGTH = 1000
# What stands further right on a line is left plain.
_LINE_LENGTH = 400
_KEPT_LENGTH = 300

# Pygments' token types by the first letters of their names, most specific first, and our colour for them.
_COLORS = (
    ("Comment", "code_comment"),
    ("Keyword", "code_keyword"),
    ("Operator.Word", "code_keyword"),
    ("Literal.String", "code_string"),
    ("Literal.Number", "code_number"),
    ("Name.Function", "code_name"),
    ("Name.Class", "code_name"),
    ("Name.Tag", "code_keyword"),
    ("Name.Attribute", "code_name"),
    ("Name.Builtin", "code_name"),
    ("Name.Decorator", "code_name"),
    ("Name.Constant", "code_number"),
    ("Generic.Deleted", "danger"),
    ("Generic.Inserted", "success"),
    ("Generic.Heading", "code_keyword"),
    ("Generic.Subheading", "code_name"),
)

_Run = tuple[int, int, str]


class Highlighter:
    """Colours the lines of a document.

    Lexers read from the beginning only. So the last stretch is read again from a checkpoint: a line that begins at
    its margin with something that is no string or comment, where nearly every language is in its first state.

    Args:
        document: one block a line.
        lexer: for its language.
        colors: the scheme.
    """

    def __init__(self, document: QTextDocument, lexer: Lexer, colors: Colors) -> None:
        self._document = document
        self._lexer = lexer
        self._formats = {name: _format(getattr(colors, name)) for _, name in _COLORS}
        self._names: dict[object, str] = {}
        self._checkpoint = 0
        self._applied: dict[int, list[_Run]] = {}

    def extend(self) -> None:
        """Colour what was added since the last call."""
        while True:
            lines, at_end = self._window()
            runs, safe_lines = self._lex(lines)
            for offset, line_runs in enumerate(runs):
                self._apply(self._checkpoint + offset, line_runs)
            moved = self._move_checkpoint(lines, safe_lines)
            if at_end or not moved:
                return

    def _window(self) -> tuple[list[str], bool]:
        """The lines to read now, and whether they are the last ones."""
        lines: list[str] = []
        length = 0
        block = self._document.findBlockByNumber(self._checkpoint)
        while block.isValid() and length < 2 * _WINDOW_LENGTH:
            lines.append(block.text()[:_LINE_LENGTH])
            length += len(lines[-1]) + 1
            block = block.next()
        return lines, not block.isValid()

    def _lex(self, lines: list[str]) -> tuple[list[list[_Run]], list[int]]:
        """The coloured runs of each line, and the lines at which reading may begin next time."""
        runs: list[list[_Run]] = [[] for _ in lines]
        safe: list[int] = []
        line, column = 0, 0
        for _, token, text in self._lexer.get_tokens_unprocessed("\n".join(lines)):
            name = self._color_name(token)
            if column == 0 and text[:1].strip() and name not in ("code_string", "code_comment"):
                safe.append(line)
            for index, part in enumerate(text.split("\n")):
                if index:
                    line, column = line + 1, 0
                if part and name:
                    runs[line].append((column, len(part), name))
                column += len(part)
        return runs, safe

    def _move_checkpoint(self, lines: list[str], safe_lines: list[int]) -> bool:
        length = sum(map(len, lines)) + len(lines)
        if length < _WINDOW_LENGTH:
            return False
        kept, limit = 0, len(lines) - 1
        while limit > 0 and kept < _KEPT_LENGTH:
            kept += len(lines[limit]) + 1
            limit -= 1
        safe = max((line for line in safe_lines if line <= limit), default=0)
        step = safe or (limit if length >= 2 * _WINDOW_LENGTH else 0)
        for number in range(self._checkpoint, self._checkpoint + step):
            self._applied.pop(number, None)
        self._checkpoint += step
        return step > 0

    def _apply(self, number: int, runs: list[_Run]) -> None:
        if self._applied.get(number, []) == runs:
            return
        self._applied[number] = runs
        block: QTextBlock = self._document.findBlockByNumber(number)
        ranges = []
        for start, length, name in runs:
            text_range = QTextLayout.FormatRange()
            text_range.start, text_range.length, text_range.format = start, length, self._formats[name]
            ranges.append(text_range)
        block.layout().setFormats(ranges)
        self._document.markContentsDirty(block.position(), block.length())

    def _color_name(self, token: object) -> str:
        if token not in self._names:
            full = str(token).removeprefix("Token.")
            self._names[token] = next((color for start, color in _COLORS if full.startswith(start)), "")
        return self._names[token]


def _format(color: str) -> QTextCharFormat:
    text_format = QTextCharFormat()
    text_format.setForeground(QColor(color))
    return text_format
