"""Markdown within a line: styles, code, links, formulas; pictures and unsafe links as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING

from desktopapp.ui.conversation import latex, maths
from desktopapp.ui.conversation.blocks import Span, Style
from desktopapp.ui.conversation.sanitise import BARE_ADDRESS, clean_markdown, is_web_address

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_NESTING = 40
# The link rule looks for its end once for every bracket: quadratic on hostile text, so it is off beyond this.
_MAX_BRACKETS = 150
# Each mark costs a try of every rule; text made of marks is shown as it is.
_MAX_MARKS = 1500
_MARKS = "[]!*_~`<&\\$"


class Effort(Enum):
    """How much Markdown is looked for in a text."""

    FULL = auto()
    NO_LINKS = auto()
    PLAIN = auto()


@cache
def markdown(effort: Effort) -> MarkdownIt:
    """The parser, imported when it is first needed."""
    from markdown_it import MarkdownIt

    class Parser(MarkdownIt):
        """Accepts every address: which of them may become links is decided here, and the others are shown."""

        def validateLink(self, url: str) -> bool:
            return True

    parser = Parser("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    maths.add_rules(parser)
    parser.enable(["table", "strikethrough"])
    parser.disable(["code", "reference", "lheading", "html_block", "html_inline"])
    if effort is not Effort.FULL:
        parser.disable(["link", "image"])
    if effort is Effort.PLAIN:
        parser.inline.ruler.disable(
            [maths.TOKEN, "escape", "backticks", "strikethrough", "emphasis", "autolink", "entity"]
        )
    return parser


def _parse(text: str) -> list[Token]:
    effort = Effort.NO_LINKS if text.count("[") > _MAX_BRACKETS else Effort.FULL
    if len(text) > _MAX_MARKS and sum(text.count(mark) for mark in _MARKS) > _MAX_MARKS:
        effort = Effort.PLAIN
    tokens: list[Token] = []
    parser = markdown(effort)
    parser.inline.parse(text, parser, {}, tokens)
    return tokens


def _joined(tokens: list[Token]) -> Iterator[tuple[Token, str]]:
    """The tokens with their texts; escapes and entities, which come apart, joined to the text around them."""
    pending: list[tuple[Token, str]] = []
    for token in tokens:
        if token.type in ("text", "text_special"):
            if pending:
                pending[0] = (pending[0][0], pending[0][1] + token.content)
            else:
                pending.append((token, token.content))
            continue
        yield from pending
        pending.clear()
        yield token, token.content
    yield from pending


_STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRIKE}


def spans_of(text: str) -> tuple[Span, ...]:
    """The spans of the Markdown of one paragraph, heading or cell; neighbours of one style merged."""
    spans: list[Span] = []
    styles: list[Style] = []
    target, inert = "", ""
    for token, content in _joined(_parse(text)):
        style = Style.PLAIN
        for outer in styles:
            style |= outer
        if token.type == "link_open":
            address = _safe(str(token.attrs.get("href", "")))
            target, inert = (address, "") if is_web_address(address) else ("", address)
        elif token.type == "link_close":
            if inert:
                _add(spans, f" ({inert})", style | Style.MUTED)
            target, inert = "", ""
        elif token.type == "image":
            shown = f"{content} ({token.attrs.get('src', '')})".lstrip()
            _add(spans, _safe(shown), style | Style.MUTED)
        elif token.type.removesuffix("_open") in _STYLES and token.nesting == 1:
            styles.append(_STYLES[token.type.removesuffix("_open")])
        elif token.nesting == -1:
            styles.pop()
        elif token.type in ("softbreak", "hardbreak"):
            _add(spans, "\u2028", style, target)
        elif token.type == "code_inline":
            _add(spans, content, style | Style.CODE, target)
        elif token.type == maths.TOKEN:
            _add(spans, *formula(content, style), target)
        else:
            _add_text(spans, _safe(content), style, target)
    return tuple(spans)


def formula(source: str, style: Style = Style.PLAIN) -> tuple[str, Style]:
    """A formula's text and style: a boxed result is bold."""
    text = clean_markdown(latex.text_of(source.replace("\n", " "))).replace("\n", " ")
    return text, style | Style.BOLD if maths.is_result(source) else style


def _safe(text: str) -> str:
    """Entities can spell what was cleaned from the source."""
    return clean_markdown(text).replace("\n", " ")


def _add(spans: list[Span], text: str, style: Style, target: str = "") -> None:
    if spans and spans[-1].style == style and spans[-1].target == target:
        spans[-1] = replace(spans[-1], text=spans[-1].text + text)
    elif text:
        spans.append(Span(text, style, target))


def _add_text(spans: list[Span], text: str, style: Style, target: str) -> None:
    """Text, with the bare web addresses in it as links."""
    position = 0
    if not target:
        for match in BARE_ADDRESS.finditer(text):
            _add(spans, text[position : match.start()], style)
            _add(spans, match[0], style, match[0])
            position = match.end()
    _add(spans, text[position:], style, target)
