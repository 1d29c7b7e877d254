"""Fonts and distances of the conversation, derived from the application's font."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QFont, QFontMetricsF

from desktopapp.ui.theme import fonts

LINE_HEIGHT_PERCENT = 145
CODE_LINE_HEIGHT_PERCENT = 135
# One step of `QTextBlockFormat.indent`; a quote is one step deep, a list two.
INDENT_PX = 14
LIST_STEPS = 2
HEADING_SCALES = (1.45, 1.28, 1.12, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Typography:
    """The fonts of the conversation.

    Args:
        body: running text, a little larger than in the controls, since it is read and not glanced at.
        small: labels and footers.
        mono: code blocks.
        em_px: height of the body's capital letters and descenders together; distances are multiples of it.
    """

    body: QFont
    small: QFont
    mono: QFont
    em_px: float

    def heading(self, level: int) -> QFont:
        """The font of a heading, `level` 1..6."""
        font = QFont(self.body)
        font.setPointSizeF(self.body.pointSizeF() * HEADING_SCALES[level - 1])
        font.setWeight(QFont.Weight.DemiBold)
        return font


def typography() -> Typography:
    """The fonts as the application's font is now."""
    ui = fonts()
    body, mono = QFont(ui.body), QFont(ui.mono)
    size = max(ui.body.pointSizeF(), 9.0) * 1.1
    body.setPointSizeF(size)
    mono.setPointSizeF(size * 0.9)
    mono.setStyleHint(QFont.StyleHint.Monospace)
    return Typography(body, ui.small, mono, QFontMetricsF(body).height() / 1.17)
