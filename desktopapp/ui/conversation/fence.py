"""A code fence that is open: its lines are code until it closes, so they need no parser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktopapp.ui.conversation.parser import Unit

_OPENING = re.compile(r"(?P<before>.*?)(?P<mark>`{3,}|~{3,})")
_LINE_LIMIT = 4096


@dataclass(slots=True)
class OpenFence:
    """What closes a fence, and what stands before its lines.

    Args:
        mark: the opening backticks or tildes.
        column: at which the fence began, without the marks of quotes.
        quote: how many quotes it is in.
        content_column: lines that begin before it end the list that the fence is in; 0 outside lists.
        in_line: the beginning of the current line was taken already.
    """

    mark: str
    column: int = 0
    quote: int = 0
    content_column: int = 0
    in_line: bool = False

    def read(self, source: str) -> tuple[str, int, bool]:
        """Take all complete lines that belong to the fence.

        Returns:
            Their code, how much of the source they are with the closing line, and whether the fence has ended.
        """
        parts: list[str] = []
        used = 0
        while (end := source.find("\n", used)) >= 0:
            line = source[used:end]
            code = line if self.in_line else self._strip(line)
            if code is None:
                return "".join(parts), used, True
            if not self.in_line and self._closes(code):
                return "".join(parts), end + 1, True
            parts.append(code + "\n")
            used, self.in_line = end + 1, False
        if len(source) - used >= _LINE_LIMIT:
            line = source[used:]
            parts.append(line if self.in_line else self._strip(line) or "")
            used, self.in_line = len(source), True
        return "".join(parts), used, False

    def preview(self, source: str) -> str:
        """The code on a line that is not complete, or nothing while it may yet be the closing one."""
        if self.in_line:
            return source
        code = self._strip(source)
        return "" if code is None or not code.strip(f" \t{self.mark[0]}") else code

    def _strip(self, line: str) -> str | None:
        for _ in range(self.quote):
            match = re.match(r" {0,3}> ?", line)
            if not match:
                return None
            line = line[match.end() :]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if len(indent.expandtabs(4)) < self.content_column and len(indent) < len(line):
            return None
        return _dedent(line, self.column)

    def _closes(self, code: str) -> bool:
        mark = code.strip(" \t")
        return len(mark) >= len(self.mark) and set(mark) == {self.mark[0]}


def _dedent(line: str, columns: int) -> str:
    """The line without up to so many columns of blanks; what is left of a tab becomes spaces."""
    column = position = 0
    while position < len(line) and column < columns and line[position] in " \t":
        column += 4 - column % 4 if line[position] == "\t" else 1
        position += 1
    return " " * (column - columns) + line[position:]


def open_fence_of(unit: Unit, source: str) -> OpenFence | None:
    """The fence at the end of a unit that the source leaves open.

    Args:
        unit: parsed from the source.
        source: complete lines.
    """
    quote = 0
    fence = None
    for token in unit.tokens:
        if token.type in ("blockquote_open", "blockquote_close"):
            quote += token.nesting
        if token.type == "fence":
            fence, fence_quote = token, quote
        elif token.type in ("inline", "hr"):
            fence = None
    if fence is None or not fence.map:
        return None
    first_line, end_line = fence.map
    has_closing_line = end_line - first_line == fence.content.count("\n") + 2
    if has_closing_line or end_line < source.count("\n"):
        return None
    opening = _OPENING.match(source.split("\n")[first_line])
    if not opening:
        return None
    before = re.sub(r"[> ]*>\s?", "", opening["before"])
    column = len(before.expandtabs(4))
    in_list = unit.kind == "item"
    return OpenFence(opening["mark"], column, fence_quote, min(2, column) if in_list else 0)
