"""Paints one line of the model list: name and chip, details, and what is missing."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktopapp.ui.model_rows import ModelRow
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_S, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, Colors

_Index = QModelIndex | QPersistentModelIndex


class ModelRowDelegate(QStyledItemDelegate):
    """Two or three lines of text a row, with a focus ring on the current one."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        made = fonts()
        self._title, self._small = QFont(made.body), made.small
        self._title.setWeight(QFont.Weight.Medium)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        row: ModelRow = index.data(Qt.ItemDataRole.UserRole)
        small = QFontMetrics(self._small)
        height = QFontMetrics(self._title).height() + 2 * SPACE_S
        if row.is_variant and not row.problem:
            return QSize(200, height)
        if row.details:
            height += small.height() + 2
        if row.problem:
            height += self._problem_rect(row, self._text_width(row)).height() + 2
        return QSize(200, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row: ModelRow = index.data(Qt.ItemDataRole.UserRole)
        colors = colors_of(self._view)
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, area, state, colors)
        left = area.left() + (SPACE_XL if row.is_variant else SPACE_M)
        line = QRect(
            left, area.top() + SPACE_S, area.right() - SPACE_M - left, QFontMetrics(self._title).height()
        )
        painter.setFont(self._title)
        painter.setPen(QColor(colors.text_disabled if row.problem else colors.text))
        chip_width = self._paint_chip(painter, line, row, colors) if row.kind else 0
        self._paint_title(painter, line, row, chip_width, colors)
        self._paint_rest(painter, line, row, colors)
        painter.restore()

    def _paint_ground(self, painter: QPainter, area: QRect, state: QStyle.StateFlag, colors: Colors) -> None:
        inner = QRectF(area).adjusted(2, 1, -2, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(colors.hover))
            if state & QStyle.StateFlag.State_HasFocus:
                painter.setPen(QColor(colors.accent))
            painter.drawRoundedRect(inner, RADIUS_S, RADIUS_S)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.hover))
            painter.drawRoundedRect(inner, RADIUS_S, RADIUS_S)

    def _paint_chip(self, painter: QPainter, line: QRect, row: ModelRow, colors: Colors) -> int:
        painter.setFont(self._small)
        width = QFontMetrics(self._small).horizontalAdvance(row.kind) + 2 * SPACE_S
        chip = QRect(line.right() - width, line.top(), width, line.height())
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent_soft))
        painter.drawRoundedRect(chip, RADIUS_S, RADIUS_S)
        painter.setPen(QColor(colors.on_accent_soft))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, row.kind)
        painter.restore()
        return width + SPACE_S

    def _paint_title(
        self, painter: QPainter, line: QRect, row: ModelRow, chip_width: int, colors: Colors
    ) -> None:
        painter.setFont(self._title)
        painter.setPen(QColor(colors.text_secondary if row.problem else colors.text))
        room = line.width() - chip_width
        if row.is_variant:
            room = QFontMetrics(self._title).horizontalAdvance(row.title) + SPACE_M
        title = QFontMetrics(self._title).elidedText(row.title, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)

    def _paint_rest(self, painter: QPainter, line: QRect, row: ModelRow, colors: Colors) -> None:
        painter.setFont(self._small)
        painter.setPen(QColor(colors.text_secondary))
        small = QFontMetrics(self._small)
        details = QRect(line.left(), line.bottom() + 2, line.width(), small.height())
        if row.is_variant and not row.problem:
            details = line.adjusted(QFontMetrics(self._title).horizontalAdvance(row.title) + SPACE_M, 0, 0, 0)
        text = small.elidedText(row.details, Qt.TextElideMode.ElideRight, details.width())
        painter.drawText(details, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        if row.problem:
            painter.setPen(QColor(colors.warning))
            above = details if row.details else line
            below = self._problem_rect(row, line.width()).translated(line.left(), above.bottom() + 2)
            painter.drawText(below, int(Qt.TextFlag.TextWordWrap), row.problem)

    def _text_width(self, row: ModelRow) -> int:
        return self._view.viewport().width() - SPACE_M - (SPACE_XL if row.is_variant else SPACE_M) - SPACE_XS

    def _problem_rect(self, row: ModelRow, width: int) -> QRect:
        flags = int(Qt.TextFlag.TextWordWrap)
        return QFontMetrics(self._small).boundingRect(QRect(0, 0, width, 1000), flags, row.problem)
