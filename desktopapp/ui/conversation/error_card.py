"""What went wrong with an answer, what to do now, and the button that does it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import RADIUS_M, SPACE_L, SPACE_M, SPACE_S, SPACE_XS

_GLYPH_PX = 18


class ErrorCard(QWidget):
    """A message, a remedy, and `Send again`.

    Args:
        message: what happened.
        remedy: what to do now.
        can_retry: sending the same again may help.
        parent: as always.
    """

    retry_requested = Signal()

    def __init__(
        self, message: str, remedy: str, parent: QWidget | None = None, *, can_retry: bool = True
    ) -> None:
        super().__init__(parent)
        self.message = _label(message, self)
        self.remedy = _label(remedy, self)
        self.remedy.setVisible(bool(remedy))
        self.retry_button = QPushButton(self)
        self.retry_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.retry_button.clicked.connect(self.retry_requested)
        self.retry_button.setVisible(can_retry)
        layout = QVBoxLayout(self)
        left = SPACE_L + _GLYPH_PX + SPACE_S
        layout.setContentsMargins(left, SPACE_M + SPACE_XS, SPACE_L, SPACE_M + SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self.message)
        layout.addWidget(self.remedy)
        layout.addSpacing(SPACE_S)
        layout.addWidget(self.retry_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.setAccessibleName(f"{message} {remedy}".strip())
        self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        """Language and colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange or is_palette_change(event):
            self._restyle()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A soft ground and a sign."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.danger_soft))
        painter.drawRoundedRect(QRectF(self.contentsRect()), RADIUS_M, RADIUS_M)
        top = self.message.geometry().top() + (self.message.fontMetrics().height() - _GLYPH_PX) / 2
        left = self.contentsRect().left() + SPACE_L
        draw_glyph(painter, "alert", QRectF(left, top, _GLYPH_PX, _GLYPH_PX), QColor(colors.danger))

    def _restyle(self) -> None:
        self.retry_button.setText(self.tr("Send again"))
        colors, font = colors_of(self), typography().body
        self.message.setFont(font)
        self.remedy.setFont(font)
        for label, color in ((self.message, colors.text), (self.remedy, colors.text_secondary)):
            if label.styleSheet() != f"color: {color}":
                label.setStyleSheet(f"color: {color}")


def _label(text: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label
