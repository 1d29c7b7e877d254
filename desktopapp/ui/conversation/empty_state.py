"""What an empty conversation shows: one sentence, and questions to begin with."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.theme import colors_of, fonts, is_palette_change
from desktopapp.ui.tokens import RADIUS_L, SPACE_L, SPACE_M, SPACE_S, SPACE_XL

_SIGN_PX = 56


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """A way to begin.

    Args:
        label: on the button.
        prompt: what it writes into the message field.
        sample: the file of `resources/samples` that goes with it; empty for none.
    """

    label: str
    prompt: str
    sample: str = ""


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
    """A friendly beginning.

    Signals:
        prompt_suggested: a prompt that the person chose, and the name of the sample file that goes with it or "".
        more_wanted: the person wants to get a model.
    """

    prompt_suggested = Signal(str, str)
    more_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_pocket = False
        self._suggestions: tuple[_Suggestion, ...] = ()
        self._title = QLabel(self)
        self._hint = QLabel(self)
        self._hint.setWordWrap(True)
        self.chips = [QPushButton(self) for _ in range(4)]
        for place, chip in enumerate(self.chips):
            chip.setCursor(Qt.CursorShape.PointingHandCursor)
            chip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            chip.clicked.connect(lambda _=False, place=place: self._suggest(place))
        self.get_button = QPushButton(self)
        self.get_button.setProperty("role", "primary")
        self.get_button.clicked.connect(self.more_wanted)
        self.get_button.hide()
        for label in (self._title, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._build()
        self._retranslate()

    def suggest_samples(self, is_pocket: bool) -> None:
        """Suggest what the small model that ships with the program can do, or what any other can."""
        if is_pocket != self._is_pocket:
            self._is_pocket = is_pocket
            self._retranslate()
        self.offer_model(is_pocket)

    def offer_model(self, offered: bool) -> None:
        """Show, or no longer show, the way to get a model."""
        self.get_button.setVisible(offered)

    def changeEvent(self, event: QEvent) -> None:
        """Language and colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange or is_palette_change(event):
            self._retranslate()

    def _build(self) -> None:
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
        layout.addSpacing(SPACE_M)
        layout.addWidget(self.get_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def _suggest(self, place: int) -> None:
        chosen = self._suggestions[place]
        self.prompt_suggested.emit(chosen.prompt, chosen.sample)

    def _retranslate(self) -> None:
        font = fonts().title
        font.setPointSizeF(font.pointSizeF() + 3)
        self._title.setFont(font)
        self._title.setText(self.tr("Drop a screenshot, ask about it"))
        self._hint.setFont(typography().body)
        color = f"color: {colors_of(self).text_secondary}"
        if self._hint.styleSheet() != color:
            self._hint.setStyleSheet(color)
        hint = self.tr("Pictures stay on this computer. You can also paste one, or just type a question.")
        if self._is_pocket:
            hint = self.tr(
                "This small model came with the program: it reads text, finds words, counts shapes, adds numbers and"
                " times changes in short videos. For everything else get a real model."
            )
        self.get_button.setText(self.tr("Get a model …"))
        self._hint.setText(hint)
        self._suggestions = self._sample_suggestions() if self._is_pocket else self._open_suggestions()
        for chip, suggestion in zip(self.chips, self._suggestions, strict=True):
            chip.setText(suggestion.label)
            chip.setAccessibleName(suggestion.label)

    def _open_suggestions(self) -> tuple[_Suggestion, ...]:
        prompts = (
            self.tr("What does this error mean?"),
            self.tr("Copy the text out of this picture"),
            self.tr("Turn this table into Markdown"),
            self.tr("Explain this chart to me"),
        )
        return tuple(_Suggestion(prompt, prompt) for prompt in prompts)

    def _sample_suggestions(self) -> tuple[_Suggestion, ...]:
        # In wordings that the pocket pair was taught; tests/e2e/test_first_start.py asks them all.
        return (
            _Suggestion(self.tr("Try it: read a receipt"), self.tr("Read the text."), "receipt.png"),
            _Suggestion(self.tr("Try it: find a word"), self.tr('Where is "CORNER SHOP"?'), "receipt.png"),
            _Suggestion(
                self.tr("Try it: count shapes"), self.tr("How many circles are there?"), "shapes.png"
            ),
            _Suggestion(
                self.tr("Try it: time a change in a video"),
                self.tr("When does the circle change its colour?"),
                "circle.mp4",
            ),
        )
