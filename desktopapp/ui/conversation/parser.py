"""Markdown to blocks: CommonMark with tables, strikethrough and formulas, without HTML, pictures or reference links.

Reference links, setext headings and indented code are off: with them a later line changes what an earlier one
meant, and models write them by accident only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from desktopapp.ui.conversation.blocks import Block, Cell, Code, Prose, ProseKind, Span, Table
from desktopapp.ui.conversation.inline import MAX_NESTING, Effort, formula, markdown, spans_of
from desktopapp.ui.conversation.maths import TOKEN as MATHS

if TYPE_CHECKING:
    from markdown_it.token import Token

_TASK = re.compile(r"\[([ xX])\][ \u2028]")
_BULLETS = ("•", "◦", "▪")


@dataclass(slots=True)
class Unit:
    """What can be closed for good while the rest is still coming: a top-level block, or one item of a list.

    Args:
        tokens: of markdown-it.
        start_line: in the parsed source.
        kind: `paragraph`, `fence`, `maths`, `table`, `item`, `blockquote`, `heading`, `hr`.
        number: of an item in an ordered list, else None.
        first_item: it opens its list.
    """

    tokens: list[Token]
    start_line: int
    kind: str
    number: int | None = None
    first_item: bool = False


def parse_units(source: str) -> list[Unit]:
    """The units of a source whose lines end in line feeds only."""
    tokens: list[Token] = []
    parser = markdown(Effort.FULL)
    # Blocks only: most sources are parsed to find where they end, and their text is read once they are shown.
    parser.block.parse(source, parser, {}, tokens)
    units: list[Unit] = []
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            units.extend(_units_of(tokens[start : index + 1]))
            start = index + 1
    return units


def _units_of(tokens: list[Token]) -> Iterator[Unit]:
    first = tokens[0]
    if not first.type.endswith("_list_open"):
        yield Unit(tokens, _line(first), first.type.removesuffix("_open"))
        return
    number = int(first.attrs.get("start", 1)) if first.type.startswith("ordered") else None
    start = 1
    for index, token in enumerate(tokens):
        if token.type == "list_item_close" and token.level == 1:
            yield Unit(tokens[start : index + 1], _line(tokens[start]), "item", number, start == 1)
            start = index + 1
            number = None if number is None else number + 1


def _line(token: Token) -> int:
    return token.map[0] if token.map else 0


@dataclass(slots=True)
class _Context:
    """Where the walk through the tokens is."""

    blocks: list[Block] = field(default_factory=list)
    indent: int = 0
    quote: int = 0
    quote_indent: int = 0
    marker: str = ""
    numbers: list[int | None] = field(default_factory=list)

    def take_marker(self) -> str:
        marker, self.marker = self.marker, ""
        return marker

    def add_prose(self, spans: Sequence[Span], kind: ProseKind = ProseKind.PARAGRAPH, level: int = 0) -> None:
        marker = self.take_marker()
        self.blocks.append(
            Prose(tuple(spans), kind, level, self.indent, self.quote, self.quote_indent, marker)
        )

    def flush_marker(self) -> None:
        """An item that begins with something else than text still shows its marker."""
        if self.marker:
            self.add_prose(())


def blocks_of(unit: Unit, source_lines: Sequence[str]) -> list[Block]:
    """The blocks of a unit.

    Args:
        unit: from `parse_units`.
        source_lines: lines of the unit; shown as they are where it is nested deeper than the parser follows.
    """
    if any(token.level >= MAX_NESTING - 2 for token in unit.tokens):
        return [Prose((Span("\u2028".join(source_lines)),))]
    context = _Context()
    if unit.kind == "item":
        context.numbers.append(unit.number)
    index = 0
    while index < len(unit.tokens):
        index = _walk(unit.tokens, index, context)
    return context.blocks


def _walk(tokens: list[Token], index: int, context: _Context) -> int:
    """Handle one token; returns the index of the next."""
    token = tokens[index]
    if token.type == "fence":
        context.flush_marker()
        words = token.info.split()
        context.blocks.append(
            Code(
                token.content, words[0] if words else "", context.indent, context.quote, context.quote_indent
            )
        )
    elif token.type == "table_open":
        context.flush_marker()
        return _read_table(tokens, index, context)
    elif token.type == MATHS:
        context.add_prose((Span(*formula(token.content)),))
    elif token.type == "hr":
        context.add_prose((), ProseKind.RULE)
    elif token.type == "heading_open":
        context.add_prose(spans_of(tokens[index + 1].content), ProseKind.HEADING, int(token.tag[1:]))
        return index + 3
    elif token.type == "inline":
        context.add_prose(_task(spans_of(token.content), context))
    else:
        _enter_or_leave(token, context)
    return index + 1


def _enter_or_leave(token: Token, context: _Context) -> None:
    if token.type.endswith("_list_open"):
        context.flush_marker()
        ordered = token.type.startswith("ordered")
        context.numbers.append(int(token.attrs.get("start", 1)) if ordered else None)
    elif token.type.endswith("_list_close"):
        context.numbers.pop()
    elif token.type == "list_item_open":
        context.indent += 1
        number = context.numbers[-1]
        context.marker = _BULLETS[(context.indent - 1) % 3] if number is None else f"{number}."
        if number is not None:
            context.numbers[-1] = number + 1
    elif token.type == "list_item_close":
        context.flush_marker()
        context.indent -= 1
    elif token.type == "blockquote_open":
        context.flush_marker()
        if not context.quote:
            context.quote_indent = context.indent
        context.quote += 1
    elif token.type == "blockquote_close":
        context.quote -= 1
        if not context.quote:
            context.quote_indent = 0


def _task(spans: tuple[Span, ...], context: _Context) -> tuple[Span, ...]:
    """`[x] done` in a list shows a ticked box for its bullet."""
    match = _TASK.match(spans[0].text) if context.marker and spans else None
    if not match:
        return spans
    context.marker = "☐" if match[1] == " " else "☑"
    return (replace(spans[0], text=spans[0].text[match.end() :]), *spans[1:])


def _read_table(tokens: list[Token], index: int, context: _Context) -> int:
    rows: list[list[Cell]] = []
    aligns: list[str] = []
    while tokens[index].type != "table_close":
        token = tokens[index]
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(spans_of(tokens[index + 1].content))
            if token.type == "th_open":
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:") or "left")
        index += 1
    columns = len(aligns)
    body = tuple(tuple([*row, *[()] * columns][:columns]) for row in rows[1:])
    context.blocks.append(
        Table(tuple(rows[0]), body, tuple(aligns), context.indent, context.quote, context.quote_indent)
    )
    return index + 1
