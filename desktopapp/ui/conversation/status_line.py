"""What the engine is doing before the first word comes: one quiet line with moving dots."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetrics, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.theme import colors_of, is_palette_change

_FRAME_MS = 80
_FRAMES = 18
_DOT_PX, _DOT_STEP_PX = 5, 9
_TEXT_LEFT_PX = 3 * _DOT_STEP_PX + 8


class StatusLine(QWidget):
    """Three dots that breathe one after the other, and a text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._frame = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._advance)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """What it says."""
        return self._text

    def set_text(self, text: str) -> None:
        """Say something else."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(200, QFontMetrics(typography().body).height() + 6)

    def showEvent(self, event: QShowEvent) -> None:
        """Move while it is seen."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while it is not."""
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        """New colours."""
        super().changeEvent(event)
        if is_palette_change(event):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dots and text."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        left = self.contentsMargins().left()
        for dot in range(3):
            distance = abs((self._frame - 4 * dot) % _FRAMES - _FRAMES / 4) / (_FRAMES / 4)
            color = QColor(colors.accent)
            color.setAlphaF(max(0.25, 1.0 - 0.75 * min(1.0, distance)))
            painter.setBrush(color)
            top = (self.height() - _DOT_PX) / 2
            painter.drawEllipse(QRectF(left + dot * _DOT_STEP_PX + 1, top, _DOT_PX, _DOT_PX))
        painter.setPen(QColor(colors.text_secondary))
        painter.setFont(typography().body)
        rect = self.rect().adjusted(left + _TEXT_LEFT_PX, 0, 0, 0)
        text = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _advance(self) -> None:
        self._frame = (self._frame + 1) % _FRAMES
        self.update(0, 0, self.contentsMargins().left() + _TEXT_LEFT_PX, self.height())
