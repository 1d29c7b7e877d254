"""What went wrong with an answer, what to do now, and the buttons that do it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.remedy_actions import RemedyOffer
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import RADIUS_M, SPACE_L, SPACE_M, SPACE_S, SPACE_XS

_GLYPH_PX = 18


class ErrorCard(QWidget):
    """A message, a remedy, `Send again`, and what else the window can do about it.

    Signals:
        retry_requested: `Send again` was pressed.
        remedy_chosen: a button of `offer` was pressed; carries its note.

    Args:
        message: what happened.
        remedy: what to do now.
        can_retry: sending the same again may help.
        parent: as always.
    """

    retry_requested = Signal()
    remedy_chosen = Signal(object)

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
        self.why_button = QPushButton(self)
        self.why_button.setCheckable(True)
        self.why_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.why_button.hide()
        self.why = _label("", self)
        self.why.hide()
        self.why_button.toggled.connect(self.why.setVisible)
        self.remedy_buttons: list[QPushButton] = []
        self._offered = QVBoxLayout()
        self._offered.setSpacing(SPACE_XS)
        last = QHBoxLayout()
        last.setSpacing(SPACE_S)
        last.addWidget(self.retry_button)
        last.addWidget(self.why_button)
        last.addStretch(1)
        layout.addSpacing(SPACE_S)
        layout.addLayout(self._offered)
        layout.addLayout(last)
        layout.addWidget(self.why)
        self.setAccessibleName(f"{message} {remedy}".strip())
        self._restyle()

    def offer(self, offers: Sequence[RemedyOffer], why: str) -> None:
        """Add what the window can do, and why it failed.

        Args:
            offers: the cheapest first.
            why: shown when the person asks; empty for nothing.
        """
        for offer in offers:
            button = QPushButton(offer.label, self)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _checked=False, note=offer.note: self.remedy_chosen.emit(note))
            self._offered.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            self.remedy_buttons.append(button)
        self.why.setText(why)
        self.why_button.setVisible(bool(why))

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
        self.why_button.setText(self.tr("Why?"))
        colors, font = colors_of(self), typography().body
        self.message.setFont(font)
        self.remedy.setFont(font)
        self.why.setFont(font)
        secondary = colors.text_secondary
        for label, color in ((self.message, colors.text), (self.remedy, secondary), (self.why, secondary)):
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
