"""The chip on an answer that says which model was chosen and why, and the button that asks the other one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.theme import colors_of, fonts, is_palette_change
from desktopapp.ui.tokens import RADIUS_S, SPACE_S, SPACE_XS


class RouteChip(QWidget):
    """One line; hidden until there is something to say.

    Signals:
        other_requested: the other model is to answer the same question.

    Args:
        parent: as always.
    """

    other_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.other_button = QuietButton("retry", self)
        self.other_button.clicked.connect(self.other_requested)
        self.other_button.hide()
        self._other = ""
        self._may_ask = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        # As high with the button as without it.
        self.setMinimumHeight(self.other_button.sizeHint().height())
        layout.addWidget(self.label, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.other_button)
        layout.addStretch(1)
        self._restyle()
        self.hide()

    def show_route(self, words: str, other: str) -> None:
        """Say what was chosen.

        Args:
            words: the model and the reason.
            other: words of the button; empty for none.
        """
        self.label.setText(words)
        self.label.setAccessibleName(words)
        self._other = other
        self.other_button.set_words(other, other)
        self.other_button.setVisible(self._may_ask and bool(other))
        self.setVisible(bool(words))

    def allow_other(self) -> None:
        """The answer has ended, so that the other model can be asked."""
        self._may_ask = True
        self.other_button.setVisible(bool(self._other))

    def changeEvent(self, event: QEvent) -> None:
        """Colours of now."""
        super().changeEvent(event)
        if is_palette_change(event):
            self._restyle()

    def _restyle(self) -> None:
        colors = colors_of(self)
        self.label.setFont(fonts().small)
        sheet = (
            f"color: {colors.text_secondary}; border: 1px solid {colors.border}; "
            f"border-radius: {RADIUS_S}px; padding: 1px {SPACE_S}px"
        )
        if self.label.styleSheet() != sheet:
            self.label.setStyleSheet(sheet)
