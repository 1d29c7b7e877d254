"""What an empty conversation shows: one sentence, and questions to begin with."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.theme import colors_of, fonts, is_palette_change
from desktopapp.ui.tokens import RADIUS_L, SPACE_L, SPACE_M, SPACE_S, SPACE_XL

_SIGN_PX = 56


class _Sign(QWidget):
    """A picture on a soft square."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(_SIGN_PX, _SIGN_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The square and the picture."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent_soft))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS_L, RADIUS_L)
        draw_glyph(painter, "picture", QRectF(self.rect()).adjusted(14, 14, -14, -14), QColor(colors.accent))


class EmptyState(QWidget):
    """A friendly beginning."""

    prompt_suggested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(self)
        self._hint = QLabel(self)
        self._hint.setWordWrap(True)
        self.chips = [QPushButton(self) for _ in range(4)]
        for chip in self.chips:
            chip.setCursor(Qt.CursorShape.PointingHandCursor)
            chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            chip.clicked.connect(lambda _=False, chip=chip: self.prompt_suggested.emit(chip.text()))
        for label in (self._title, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        grid = QGridLayout()
        grid.setSpacing(SPACE_S)
        for index, chip in enumerate(self.chips):
            grid.addWidget(chip, index // 2, index % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_XL, SPACE_L, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addStretch(2)
        layout.addWidget(_Sign(self), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(SPACE_S)
        layout.addWidget(self._title)
        layout.addWidget(self._hint)
        layout.addSpacing(SPACE_M)
        layout.addLayout(grid)
        layout.addStretch(3)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Language and colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange or is_palette_change(event):
            self._retranslate()

    def _retranslate(self) -> None:
        font = fonts().title
        font.setPointSizeF(font.pointSizeF() + 3)
        self._title.setFont(font)
        self._title.setText(self.tr("Drop a screenshot, ask about it"))
        self._hint.setFont(typography().body)
        self._hint.setText(
            self.tr("Pictures stay on this computer. You can also paste one, or just type a question.")
        )
        color = f"color: {colors_of(self).text_secondary}"
        if self._hint.styleSheet() != color:
            self._hint.setStyleSheet(color)
        prompts = (
            self.tr("What does this error mean?"),
            self.tr("Copy the text out of this picture"),
            self.tr("Turn this table into Markdown"),
            self.tr("Explain this chart to me"),
        )
        for chip, prompt in zip(self.chips, prompts, strict=True):
            chip.setText(prompt)
            chip.setAccessibleName(prompt)
