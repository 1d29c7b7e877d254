"""How blocks and spans look: Qt's formats, made once for each scheme of colours."""

from __future__ import annotations

from functools import cache
from math import ceil

from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextFormat

from desktopapp.ui.conversation.blocks import Prose, ProseKind, Span, Style
from desktopapp.ui.conversation.seek_links import link_times
from desktopapp.ui.conversation.typography import LINE_HEIGHT_PERCENT, LIST_STEPS, Typography
from desktopapp.ui.tokens import Colors

_FIRST = QTextFormat.Property.UserProperty.value
MARKER = _FIRST + 1
QUOTE = _FIRST + 2
RULE = _FIRST + 3
HAS_CODE = _FIRST + 4
INLINE_CODE = _FIRST + 5
# A line of code that was broken for display only.
UNBROKEN = _FIRST + 6
QUOTE_INDENT = _FIRST + 7

# Distances between blocks, in em: (any, list item after list item, before and after a heading, around a rule).
_GAP, _ITEM_GAP, _BEFORE_HEADING, _AFTER_HEADING, _RULE_GAP = 0.8, 0.38, 1.35, 0.5, 1.1


class Formats:
    """Formats for one scheme and one set of fonts.

    Args:
        colors: the scheme.
        type_: the fonts.
        links_times: times in prose lead to the second of a video.
    """

    def __init__(self, colors: Colors, type_: Typography, *, links_times: bool = False) -> None:
        self.colors = colors
        self.links_times = links_times
        self.type = type_
        self.span = cache(self._make_span)

    def block(self, prose: Prose, previous: Prose | None, *, first: bool) -> QTextBlockFormat:
        """The format of a block of prose.

        Args:
            prose: the block.
            previous: the block before it, when that is prose.
            first: nothing stands above it in the answer.
        """
        block = QTextBlockFormat()
        block.setLineHeight(LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block.setIndent(prose.indent * LIST_STEPS + prose.quote)
        block.setTopMargin(0 if first else gap_px(prose, previous, self.type.em_px))
        if prose.marker:
            block.setProperty(MARKER, prose.marker)
        if prose.quote:
            block.setProperty(QUOTE, prose.quote)
            block.setProperty(QUOTE_INDENT, prose.quote_indent)
        if prose.kind is ProseKind.RULE:
            block.setProperty(RULE, True)
        if any(Style.CODE in span.style for span in prose.spans):
            block.setProperty(HAS_CODE, True)
        if prose.level:
            block.setHeadingLevel(prose.level)
        return block

    def _make_span(self, style: Style, linked: bool, level: int, quoted: bool) -> QTextCharFormat:
        font = self.type.heading(level) if level else QFont(self.type.body)
        if Style.CODE in style:
            size = font.pointSizeF()
            font.setFamilies(self.type.mono.families())
            font.setStyleHint(QFont.StyleHint.Monospace)
            font.setPointSizeF(size * 0.9)
        if Style.BOLD in style:
            font.setWeight(QFont.Weight.DemiBold)
        font.setItalic(Style.ITALIC in style)
        font.setStrikeOut(Style.STRIKE in style)
        text_format = QTextCharFormat()
        text_format.setFont(font)
        muted = Style.MUTED in style or quoted
        color = self.colors.link if linked else self.colors.text_secondary if muted else self.colors.text
        text_format.setForeground(QColor(color))
        if Style.CODE in style:
            text_format.setProperty(INLINE_CODE, True)
        if linked:
            text_format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        return text_format

    def insert_spans(
        self, cursor: QTextCursor, spans: tuple[Span, ...], *, level: int = 0, quoted: bool = False
    ) -> None:
        """Write spans at a cursor."""
        for span in link_times(spans) if self.links_times else spans:
            text_format = self.span(span.style, bool(span.target), level, quoted)
            if span.target:
                text_format = QTextCharFormat(text_format)
                text_format.setAnchor(True)
                text_format.setAnchorHref(span.target)
            cursor.insertText(span.text, text_format)


def gap_px(prose: Prose, previous: Prose | None, em_px: float) -> int:
    """The distance above a block of prose."""
    if prose.joined:
        return 0
    if ProseKind.RULE in (prose.kind, previous.kind if previous else None):
        return ceil(_RULE_GAP * em_px)
    if prose.kind is ProseKind.HEADING:
        return ceil((_BEFORE_HEADING if prose.level < 4 else 1.0) * em_px)
    if previous is not None and previous.kind is ProseKind.HEADING:
        return ceil(_AFTER_HEADING * em_px)
    if previous is not None and previous.quote != prose.quote:
        return ceil(_GAP * em_px)
    if previous is not None and prose.indent and previous.indent and prose.marker:
        return ceil(_ITEM_GAP * em_px)
    if prose.marker and prose.indent and previous is not None:
        return ceil(0.55 * em_px)
    return ceil(_GAP * em_px)


def piece_gap_px(em_px: float) -> int:
    """The distance above a code block or a table."""
    return ceil(_GAP * em_px)
