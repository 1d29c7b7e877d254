"""What an answer is made of once its Markdown is parsed: flat, comparable values, without Qt.

Nesting becomes numbers: a paragraph three lists deep is a `Prose` with `indent` 3. So an answer is a plain
sequence that can be compared, cut and continued at any block.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto


class Style(Flag):
    """How a span is written."""

    PLAIN = 0
    BOLD = auto()
    ITALIC = auto()
    STRIKE = auto()
    CODE = auto()
    MUTED = auto()


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style.

    Args:
        text: what is shown; U+2028 breaks the line.
        style: how.
        target: http or https address that a click opens, or empty.
    """

    text: str
    style: Style = Style.PLAIN
    target: str = ""


class ProseKind(StrEnum):
    """What a block of prose is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph, a heading, a line of a list, or a rule.

    Args:
        spans: its text.
        kind: what it is.
        level: of a heading, 1..6.
        indent: how many lists it is in.
        quote: how many quotes it is in.
        quote_indent: how many of the lists the outermost of the quotes is in.
        marker: `•` or `12.` before the first block of a list item, else empty.
        joined: it goes on where the block before it was cut, without a gap.
    """

    spans: tuple[Span, ...]
    kind: ProseKind = ProseKind.PARAGRAPH
    level: int = 0
    indent: int = 0
    quote: int = 0
    quote_indent: int = 0
    marker: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced code block, or a further part of one.

    Args:
        text: the code, exactly as written.
        language: first word of the info string, or empty.
        indent: how many lists it is in.
        quote: how many quotes it is in.
        quote_indent: how many of the lists the outermost of the quotes is in.
        continued: it goes on the code block before it.
    """

    text: str
    language: str = ""
    indent: int = 0
    quote: int = 0
    quote_indent: int = 0
    continued: bool = False


Cell = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or further rows of one.

    Args:
        header: one cell a column.
        rows: as many cells each.
        aligns: `left`, `center` or `right`, one a column.
        indent: how many lists it is in.
        quote: how many quotes it is in.
        quote_indent: how many of the lists the outermost of the quotes is in.
        continued: its rows go on the table before it; the header is not shown again.
    """

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    aligns: tuple[str, ...]
    indent: int = 0
    quote: int = 0
    quote_indent: int = 0
    continued: bool = False


Block = Prose | Code | Table


def plain_text(spans: tuple[Span, ...]) -> str:
    """The characters of some spans, line breaks as line feeds."""
    return "".join(span.text for span in spans).replace("\u2028", "\n")
