"""A label that shortens its text to the room it has, and keeps the whole in its tool tip."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QTextLayout
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktopapp.ui.wording import tooltip_text


class ElidedLabel(QLabel):
    """A plain-text label that never asks for more width than it gets.

    Args:
        parent: of the widget.
        mode: where text is left out.
        lines: how many there may be.
    """

    def __init__(
        self,
        parent: QWidget | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        lines: int = 1,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._lines = lines
        self.setWordWrap(lines > 1)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_full_text(self, text: str, *, whole: str = "") -> None:
        """Show `text`, shortened where needed; tool tip and screen readers have `whole`, or the text."""
        self.setText(text)
        self.setAccessibleName(whole or text)
        self.setToolTip(tooltip_text(whole or text))

    def minimumSizeHint(self) -> QSize:
        height = self.fontMetrics().height() if self._lines > 1 else super().minimumSizeHint().height()
        return QSize(24, height)

    def heightForWidth(self, width: int) -> int:
        height = super().heightForWidth(width)
        return min(height, self._lines * self.fontMetrics().lineSpacing()) if self._lines > 1 else height

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        area = self.contentsRect()
        text = elide(self.text(), self.font(), area.width(), self._lines, self._mode)
        painter.drawText(area, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()


def elide(
    text: str,
    font: QFont,
    width: int,
    most_lines: int,
    mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> str:
    """Break a text into lines, and shorten the last one where there would be more.

    Args:
        text: plain text.
        font: that it is shown in.
        width: of a line, in pixels.
        most_lines: at least 1.
        mode: where text is left out of the last line.

    Returns:
        The lines, joined by line ends.
    """
    starts = [0]
    layout = QTextLayout(text, font)
    layout.beginLayout()
    while len(starts) < most_lines and (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        starts.append(line.textStart() + line.textLength())
    layout.endLayout()
    lines = [text[start:end].strip() for start, end in pairwise(starts)]
    rest = text[starts[-1] :].strip()
    if rest:
        lines.append(rest)
    if lines:
        lines[-1] = _shorten(lines[-1], QFontMetrics(font), width, mode)
    return "\n".join(lines)


def _shorten(text: str, metrics: QFontMetrics, width: int, mode: Qt.TextElideMode) -> str:
    """Qt elides by kerned, fractional widths and measures by others, some pixels wider: make it fit by both."""
    short, room = text, width
    while metrics.horizontalAdvance(short) > width and room > 0:
        short = metrics.elidedText(text, mode, room)
        room -= 1
    return short
