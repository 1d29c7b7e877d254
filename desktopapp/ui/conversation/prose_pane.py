"""Paragraphs, headings and lists in one document; the last block can be written again while it is streaming."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import cast

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlock,
    QTextCursor,
    QTextLayout,
    QTextLine,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from desktopapp.ui.conversation.blocks import Prose, Style
from desktopapp.ui.conversation.formats import (
    HAS_CODE,
    INLINE_CODE,
    MARKER,
    QUOTE,
    QUOTE_INDENT,
    RULE,
    Formats,
)
from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.text_pane import TextPane
from desktopapp.ui.conversation.typography import INDENT_PX, LIST_STEPS
from desktopapp.ui.tokens import Colors

_BULLETS = "•◦▪"


class ProsePane(TextPane):
    """A run of prose.

    Args:
        group: what is selected together.
        formats: how it looks.
        width_px: of the text.
        parent: as always.
    """

    def __init__(
        self, group: SelectionGroup, formats: Formats, width_px: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(group, parent)
        self._formats = formats
        self._is_empty = True
        self._gap_px = 0
        self._width_px = width_px
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.set_width(width_px)

    def set_width(self, width_px: int) -> None:
        """Wrap at another width."""
        self._width_px = width_px
        self.setLineWrapColumnOrWidth(width_px)
        self.refresh_height()

    def refresh_height(self) -> None:
        """Be as high as the text."""
        height = ceil(self.document().size().height()) + self._gap_px
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def length(self) -> int:
        """Characters in the pane, block ends included."""
        return 0 if self._is_empty else self.document().characterCount()

    def add_prose(self, prose: Prose, previous: Prose | None, *, first: bool) -> int:
        """Write a block at the end.

        Returns:
            Where it begins, for `rewrite` and `truncate`.
        """
        start = self.length()
        if start:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertBlock()
        self.rewrite(start, prose, previous, first=first)
        return start

    def rewrite(self, start: int, prose: Prose, previous: Prose | None, *, first: bool) -> None:
        """Let the last block, which begins at `start`, be another; those before it are not touched."""
        cursor = QTextCursor(self.document())
        block_format = self._formats.block(prose, previous, first=first)
        cursor.beginEditBlock()
        cursor.setPosition(start)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if start == 0:
            # A document leaves out the margin above its first block.
            self._gap_px = round(block_format.topMargin())
            self.setViewportMargins(0, self._gap_px, 0, 0)
        cursor.setBlockFormat(block_format)
        cursor.setBlockCharFormat(self._formats.span(Style.PLAIN, False, prose.level, prose.quote > 0))
        self._formats.insert_spans(cursor, prose.spans, level=prose.level, quoted=prose.quote > 0)
        cursor.endEditBlock()
        self._is_empty = False
        if self._formats.links_times or any(span.target for span in prose.spans):
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def truncate(self, start: int) -> None:
        """Take away the last block, which begins at `start`."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(max(0, start - 1))
        kept = cursor.blockFormat()
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        # Qt gives an empty block the format of what was joined to it.
        cursor.setBlockFormat(kept)
        self._is_empty = start == 0

    def plain_text(self) -> str:
        """The text with the markers of lists, as one would type it."""
        return _with_markers(self.document().begin(), 0, self.document().characterCount())

    def selected_text(self) -> str:
        """The selection with the markers of the items whose beginning is in it."""
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionStart())
        return _with_markers(block, cursor.selectionStart(), cursor.selectionEnd())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars of quotes, markers, rules and the ground of inline code, then the text."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        layout = self.document().documentLayout()
        block = self.cursorForPosition(event.rect().topLeft()).block()
        while block.isValid():
            rect = layout.blockBoundingRect(block)
            if rect.top() > event.rect().bottom():
                break
            self._paint_block(painter, block, rect)
            block = block.next()
        painter.end()
        super().paintEvent(event)

    def _paint_block(self, painter: QPainter, block: QTextBlock, rect: QRectF) -> None:
        block_format, colors = block.blockFormat(), self._formats.colors
        right_to_left = block.textDirection() == Qt.LayoutDirection.RightToLeft
        quote = block_format.intProperty(QUOTE)
        if quote:
            previous = block.previous()
            top = rect.top()
            if previous.isValid() and previous.blockFormat().intProperty(QUOTE):
                top = self.document().documentLayout().blockBoundingRect(previous).bottom() - 3
            bars = QRectF(0, top, self._width_px, rect.bottom() - top)
            offset = block_format.intProperty(QUOTE_INDENT) * LIST_STEPS * INDENT_PX
            bars.adjust(0 if right_to_left else offset, 0, -offset if right_to_left else 0, 0)
            paint_quote_bars(painter, quote, bars, colors, right_to_left)
        if block_format.boolProperty(RULE):
            painter.setPen(QPen(QColor(colors.border), 1))
            middle = round(rect.center().y()) + 0.5
            painter.drawLine(QPointF(0, middle), QPointF(self._width_px, middle))
        if block_format.boolProperty(HAS_CODE):
            _paint_code_grounds(painter, block, rect.topLeft(), colors)
        marker = block_format.stringProperty(MARKER)
        if marker and block.layout().lineCount():
            left = (block_format.indent() - LIST_STEPS) * INDENT_PX
            x = self._width_px - left - LIST_STEPS * INDENT_PX if right_to_left else left
            line = block.layout().lineAt(0)
            gutter = QRectF(x, rect.top() + line.y(), LIST_STEPS * INDENT_PX, line.height())
            self._paint_marker(painter, marker, gutter, line.ascent(), right_to_left)

    def _paint_marker(
        self, painter: QPainter, marker: str, gutter: QRectF, ascent: float, right_to_left: bool
    ) -> None:
        colors, type_ = self._formats.colors, self._formats.type
        metrics = QFontMetricsF(type_.body)
        baseline = gutter.top() + ascent
        # The middle of lower-case letters.
        center = QPointF(
            gutter.center().x() + (-1 if right_to_left else 1) * 3, baseline - metrics.xHeight() / 2
        )
        if marker in _BULLETS:
            _paint_bullet(painter, marker, center, QColor(colors.text_secondary))
        elif marker in "☐☑":
            _paint_box(painter, center, marker == "☑", colors)
        else:
            painter.setFont(type_.body)
            painter.setPen(QColor(colors.text_secondary))
            width = metrics.horizontalAdvance(marker)
            x = gutter.left() + 7 if right_to_left else gutter.right() - 7 - width
            painter.drawText(QPointF(x, baseline), marker)


def paint_quote_bars(
    painter: QPainter, levels: int, rect: QRectF, colors: Colors, right_to_left: bool = False
) -> None:
    """Draw one upright bar for each quote that something is in."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.border))
    for level in range(min(levels, 12)):
        x = level * INDENT_PX
        painter.drawRoundedRect(
            QRectF(rect.right() - x - 3 if right_to_left else rect.left() + x, rect.top(), 3, rect.height()),
            1.5,
            1.5,
        )


def _paint_bullet(painter: QPainter, marker: str, center: QPointF, color: QColor) -> None:
    painter.setPen(QPen(color, 1.2) if marker == "◦" else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if marker == "◦" else color)
    if marker == "▪":
        painter.drawRect(QRectF(center.x() - 2.2, center.y() - 2.2, 4.4, 4.4))
    else:
        painter.drawEllipse(center, 2.5, 2.5)


def _paint_box(painter: QPainter, center: QPointF, ticked: bool, colors: Colors) -> None:
    box = QRectF(center.x() - 7, center.y() - 7, 14, 14)
    painter.setPen(QPen(QColor(colors.accent if ticked else colors.border_strong), 1.3))
    painter.setBrush(QColor(colors.accent) if ticked else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 3.5, 3.5)
    if ticked:
        draw_glyph(painter, "check", box.adjusted(1, 1, -1, -1), QColor(colors.on_accent))


def _paint_code_grounds(painter: QPainter, block: QTextBlock, origin: QPointF, colors: Colors) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.hover))
    layout = block.layout()
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        if fragment.charFormat().boolProperty(INLINE_CODE):
            start = fragment.position() - block.position()
            height = QFontMetricsF(fragment.charFormat().font())
            for rect in _line_rects(layout, start, start + fragment.length(), height):
                painter.drawRoundedRect(rect.translated(origin), 4, 4)
        iterator += 1


def _line_rects(layout: QTextLayout, start: int, end: int, metrics: QFontMetricsF) -> Iterator[QRectF]:
    """The rectangles that a range of characters covers, one a line."""
    for index in range(layout.lineCount()):
        line = layout.lineAt(index)
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first < last:
            left, right = sorted((_x_of(line, first), _x_of(line, last)))
            baseline = line.y() + line.ascent()
            top = baseline - metrics.ascent() - 1.5
            yield QRectF(left - 2, top, right - left + 4, metrics.height() + 3)


def _x_of(line: QTextLine, position: int) -> float:
    # The stubs do not know that Qt's out-parameter comes back in a tuple.
    return cast(tuple[float, int], line.cursorToX(position))[0]


def _with_markers(block: QTextBlock, start: int, end: int) -> str:
    lines: list[str] = []
    while block.isValid() and block.position() < max(end, 1):
        text = block.text()
        first, last = max(0, start - block.position()), min(len(text), end - block.position())
        marker = block.blockFormat().stringProperty(MARKER) if first == 0 else ""
        if block.blockFormat().boolProperty(RULE):
            lines.append("---")
        else:
            depth = max(0, block.blockFormat().indent() // LIST_STEPS - 1) if marker else 0
            lines.append("  " * depth + (f"{marker} " if marker else "") + text[first:last])
        block = block.next()
    return "\n".join(lines).replace("\u2028", "\n")
