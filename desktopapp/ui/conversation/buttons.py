"""Quiet buttons of the conversation: a glyph, a glyph with words, and the round one that jumps to the end."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_S, SPACE_S

_GLYPH_PX = 16
_HEIGHT_PX = 28
_COPIED_MS = 1600


class QuietButton(QAbstractButton):
    """A glyph, with words beside it where it has a text; its ground shows under the pointer only.

    Args:
        glyph: name for `draw_glyph`, or empty for words alone.
        parent: as always.
    """

    def __init__(self, glyph: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._glyph = glyph
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_glyph(self, glyph: str) -> None:
        """Show another glyph."""
        self._glyph = glyph
        self.update()

    def set_words(self, text: str, tool_tip: str = "") -> None:
        """Set the text beside the glyph, and what a screen reader says."""
        self.setText(text)
        self.setToolTip(tool_tip)
        self.setAccessibleName(text or tool_tip)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as glyph and words need."""
        width = _HEIGHT_PX if self._glyph else 2 * SPACE_S
        if self.text():
            width += QFontMetrics(fonts().small).horizontalAdvance(self.text()) + (
                SPACE_S if self._glyph else 0
            )
        return QSize(width, _HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """Never squeezed."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses as well as space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, ring, glyph, words."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        self._paint_ground(painter, rect)
        active = self.underMouse() or self.hasFocus()
        color = QColor(colors.text if active and self.isEnabled() else colors.text_secondary)
        left = (_HEIGHT_PX - _GLYPH_PX) / 2
        if self._glyph:
            draw_glyph(
                painter,
                self._glyph,
                QRectF(left, (self.height() - _GLYPH_PX) / 2, _GLYPH_PX, _GLYPH_PX),
                color,
            )
        if self.text():
            painter.setFont(fonts().small)
            painter.setPen(color)
            words = rect.adjusted(_HEIGHT_PX - 2 if self._glyph else SPACE_S - 1, 0, 0, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())

    def _paint_ground(self, painter: QPainter, rect: QRectF) -> None:
        colors = colors_of(self)
        painter.setPen(QPen(QColor(colors.accent), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        hovered = self.underMouse() and self.isEnabled()
        painter.setBrush(QColor(colors.hover) if hovered else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, RADIUS_S, RADIUS_S)


class CopyButton(QuietButton):
    """Puts a text on the clipboard and says so for a moment.

    Args:
        with_words: show `Copy` beside the glyph.
        parent: as always.
    """

    def __init__(self, *, with_words: bool, parent: QWidget | None = None) -> None:
        super().__init__("copy", parent)
        self._with_words = with_words
        self._tool_tip = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_COPIED_MS)
        self._timer.timeout.connect(self._rest)
        self._rest()

    def describe(self, tool_tip: str) -> None:
        """Say what is copied."""
        self._tool_tip = tool_tip
        self._rest()

    def copy(self, text: str) -> None:
        """Put a text on the clipboard, and say `Copied` for a moment."""
        QApplication.clipboard().setText(text)
        self.set_glyph("check")
        self.set_words(self.tr("Copied") if self._with_words else "", self.tr("Copied"))
        self._timer.start()

    def _rest(self) -> None:
        self._timer.stop()
        self.set_glyph("copy")
        self.set_words(self.tr("Copy") if self._with_words else "", self._tool_tip or self.tr("Copy"))


class JumpButton(QuietButton):
    """Round, floating over the end of the conversation."""

    SIDE_PX = 38

    def __init__(self, parent: QWidget) -> None:
        super().__init__("arrow-down", parent)
        self.resize(self.SIDE_PX, self.SIDE_PX)
        self.retranslate()

    def retranslate(self) -> None:
        """Say what it does in the language of now."""
        self.set_words("", self.tr("Jump to latest"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """A disc with an outline, so that it stands out from the text below it."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(
            QPen(QColor(colors.accent), 2) if self.hasFocus() else QPen(QColor(colors.border_strong), 1)
        )
        painter.setBrush(QColor(colors.hover if self.underMouse() else colors.raised))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))
        offset = (self.SIDE_PX - _GLYPH_PX) / 2
        draw_glyph(painter, "arrow-down", QRectF(offset, offset, _GLYPH_PX, _GLYPH_PX), QColor(colors.text))
