"""A table, or some rows of a long one: columns as wide as they need, scrolling sideways where they need too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlockFormat,
    QTextCursor,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QTextEdit, QVBoxLayout, QWidget

from desktopapp.ui.conversation.blocks import Cell, Span, Style, Table, plain_text
from desktopapp.ui.conversation.formats import Formats, piece_gap_px
from desktopapp.ui.conversation.prose_pane import paint_quote_bars
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.text_pane import TextPane
from desktopapp.ui.conversation.typography import INDENT_PX, LIST_STEPS

_PADDING_X, _PADDING_Y = 12, 7
_MAX_NATURAL_PX, _MIN_SHARED_PX = 420, 96
_ALIGNMENTS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


class _TablePane(TextPane):
    """The cells."""

    table: QTextTable | None = None
    has_header = True
    line_color = QColor()

    def plain_text(self) -> str:
        """One line a row, a tab between cells."""
        return self._text(0, self.document().characterCount())

    def selected_text(self) -> str:
        """The selected cells likewise."""
        cursor = self.textCursor()
        return self._text(cursor.selectionStart(), cursor.selectionEnd())

    def _text(self, start: int, end: int) -> str:
        table = self.table
        if table is None:
            return ""
        rows = []
        for row in range(table.rows()):
            cells = []
            for column in range(table.columns()):
                cell = table.cellAt(row, column)
                first, last = cell.firstPosition(), cell.lastPosition()
                if last >= start and first <= end:
                    cursor = QTextCursor(self.document())
                    cursor.setPosition(max(first, start))
                    cursor.setPosition(min(last, end), QTextCursor.MoveMode.KeepAnchor)
                    cells.append(cursor.selectedText().replace("\u2029", "\n"))
            if cells:
                rows.append("\t".join(cells))
        return "\n".join(rows).replace("\u2028", " ")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Hairlines between rows, a stronger one below the header, then the cells."""
        if self.table is not None:
            painter = QPainter(self.viewport())
            painter.translate(-self.horizontalScrollBar().value(), 0)
            layout = self.document().documentLayout()
            width = self.document().size().width()
            for row in range(self.table.rows()):
                block = self.table.cellAt(row, 0).firstCursorPosition().block()
                y = round(layout.blockBoundingRect(block).top()) - _PADDING_Y - 0.5
                if row:
                    painter.setPen(QPen(self.line_color, 2 if self.has_header and row == 1 else 1))
                    painter.drawLine(QPointF(0, y), QPointF(width, y))
            painter.end()
        super().paintEvent(event)


class TablePiece(QWidget):
    """One stretch of a table.

    Args:
        table: what it shows at first.
        above: the stretch that it goes on, or None.
        group: what is selected together.
        formats: how it looks.
        width_px: outer width.
        parent: as always.
    """

    def __init__(
        self,
        table: Table,
        above: TablePiece | None,
        group: SelectionGroup,
        formats: Formats,
        width_px: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._formats = formats
        self._above = above
        self._table = table
        self._quote = table.quote
        self._left_px = (table.indent * LIST_STEPS + table.quote) * INDENT_PX
        self._first_row = 1 if table.continued else 0
        self._has_links = False
        self.columns_px: list[int] = []
        self.pane = _TablePane(group, self)
        self.pane.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.pane.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.pane.setAccessibleName(self.tr("Table"))
        self.pane.has_header = not table.continued
        self.pane.line_color = QColor(formats.colors.border)
        layout = QVBoxLayout(self)
        gap = 0 if above is not None else piece_gap_px(formats.type.em_px)
        layout.setContentsMargins(self._left_px, gap, 0, 0)
        layout.addWidget(self.pane)
        if above is not None:
            self._follow_scrolling(above)
        self.setFixedWidth(width_px)
        self.show_table(table)

    def show_table(self, table: Table) -> None:
        """Show other rows; rows that are the same are left alone."""
        rows = _rows(table)
        old_rows = _rows(self._table) if self.pane.table is not None else []
        self._table = table
        if self.pane.table is None or old_rows[:1] != rows[:1] or len(rows) < len(old_rows):
            self._build(rows)
        else:
            self._update(self.pane.table, old_rows, rows)
        self._size_columns()

    def set_width(self, width_px: int) -> None:
        """The outer width."""
        self.setFixedWidth(width_px)
        self._size_columns()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars of the quotes that it is in."""
        if self._quote:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            offset = self._table.quote_indent * LIST_STEPS * INDENT_PX
            bars = QRectF(self.rect()).adjusted(offset, 0, 0, 0)
            paint_quote_bars(painter, self._quote, bars, self._formats.colors)

    def _build(self, rows: list[tuple[Cell, ...]]) -> None:
        document = self.pane.document()
        document.clear()
        root = document.rootFrame().frameFormat()
        root.setMargin(0)
        document.rootFrame().setFrameFormat(root)
        self._format = QTextTableFormat()
        self._format.setBorder(0)
        self._format.setCellPadding(0)
        self._format.setCellSpacing(0)
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        table = cursor.insertTable(len(rows), max(1, len(self._table.header)), self._format)
        # The block that Qt keeps behind a table would add an empty line.
        tail = QTextBlockFormat()
        tail.setLineHeight(0, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        end = QTextCursor(document)
        end.movePosition(QTextCursor.MoveOperation.End)
        end.setBlockFormat(tail)
        for index, row in enumerate(rows):
            self._fill(table, index, row)
        cursor.endEditBlock()
        self.pane.table = table
        self.columns_px = []

    def _update(
        self, table: QTextTable, old_rows: list[tuple[Cell, ...]], rows: list[tuple[Cell, ...]]
    ) -> None:
        cursor = QTextCursor(self.pane.document())
        cursor.beginEditBlock()
        if len(rows) > len(old_rows):
            table.appendRows(len(rows) - len(old_rows))
        for index, row in enumerate(rows):
            if index >= len(old_rows) or old_rows[index] != row:
                self._fill(table, index, row)
        cursor.endEditBlock()

    def _fill(self, table: QTextTable, index: int, row: Sequence[Cell]) -> None:
        is_header = index == 0 and not self._first_row
        for column, spans in enumerate(row):
            cell = table.cellAt(index, column)
            cell_format = QTextTableCellFormat()
            cell_format.setLeftPadding(_PADDING_X)
            cell_format.setRightPadding(_PADDING_X)
            cell_format.setTopPadding(_PADDING_Y)
            cell_format.setBottomPadding(_PADDING_Y)
            cell_format.merge(self._formats.span(Style.PLAIN, False, 0, False))
            cell.setFormat(cell_format)
            cursor = cell.firstCursorPosition()
            cursor.setPosition(cell.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            block = QTextBlockFormat()
            block.setAlignment(_ALIGNMENTS.get(self._table.aligns[column], Qt.AlignmentFlag.AlignLeft))
            block.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setBlockFormat(block)
            shown = tuple(_bold(span) for span in spans) if is_header else tuple(spans)
            self._formats.insert_spans(cursor, shown)
            self._has_links = self._has_links or any(span.target for span in spans)

    def _size_columns(self) -> None:
        available = self.width() - self._left_px
        if self._above is not None and len(self._above.columns_px) == len(self._table.header):
            widths = self._above.columns_px
        else:
            widths = fit_columns(self._natural_widths(), available)
        total = sum(widths)
        if widths != self.columns_px and self.pane.table is not None:
            self.columns_px = list(widths)
            fixed = QTextLength.Type.FixedLength
            self._format.setColumnWidthConstraints([QTextLength(fixed, width) for width in widths])
            self.pane.table.setFormat(self._format)
        self.pane.setLineWrapColumnOrWidth(max(total, 1))
        is_wide = total > available
        by_tab = is_wide or self._has_links
        self.pane.setFocusPolicy(Qt.FocusPolicy.StrongFocus if by_tab else Qt.FocusPolicy.ClickFocus)
        bar = self.pane.horizontalScrollBar().sizeHint().height() if is_wide else 0
        height = ceil(self.pane.document().size().height()) + bar
        if height != self.pane.minimumHeight():
            self.pane.setFixedHeight(height)

    def _natural_widths(self) -> list[int]:
        metrics = QFontMetricsF(self._formats.span(Style.BOLD, False, 0, False).font())
        widths = [0] * len(self._table.header)
        for row in (self._table.header, *self._table.rows):
            for column, spans in enumerate(row):
                # Wider than the limit is as wide as the limit: no need to measure a whole essay.
                text = plain_text(spans)[:160]
                widest = max(metrics.horizontalAdvance(line) for line in text.split("\n"))
                widths[column] = max(widths[column], ceil(widest) + 2 * _PADDING_X + 2)
        return widths

    def _follow_scrolling(self, above: TablePiece) -> None:
        mine, theirs = self.pane.horizontalScrollBar(), above.pane.horizontalScrollBar()
        mine.valueChanged.connect(theirs.setValue)
        theirs.valueChanged.connect(mine.setValue)


def fit_columns(natural_px: Sequence[int], available_px: int) -> list[int]:
    """Column widths: natural where all fit, else the widest give way, down to what is still readable.

    Args:
        natural_px: what each column needs on one line.
        available_px: what there is; the result may be wider when there are too many columns.
    """
    widths = [min(width, _MAX_NATURAL_PX) for width in natural_px]
    room = available_px
    if sum(widths) <= room:
        return widths
    limit = max(_MIN_SHARED_PX, *widths, 1) if widths else 0
    while limit > _MIN_SHARED_PX and sum(min(width, limit) for width in widths) > room:
        limit -= 4
    return [min(width, limit) for width in widths]


def _rows(table: Table) -> list[tuple[Cell, ...]]:
    return list(table.rows) if table.continued else [table.header, *table.rows]


def _bold(span: Span) -> Span:
    return replace(span, style=span.style | Style.BOLD)
