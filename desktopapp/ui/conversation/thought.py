"""The thought of a Thinking model: a block of its own that folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktopapp.ui.conversation.body import MarkdownBody
from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.conversation.formats import Formats
from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.lexers import LexerStore
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import RADIUS_S, SPACE_S, SPACE_XL, SPACE_XS
from desktopapp.ui.wording import format_number

_TICK_MS = 1000
_GLYPH_PX = 14
_INSET_PX = SPACE_XL + SPACE_XS


class _Header(QuietButton):
    """Folds and unfolds."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("chevron-right", parent)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Words in the size of the body's text."""
        metrics = QFontMetrics(typography().body)
        return QSize(_GLYPH_PX + 3 * SPACE_S + metrics.horizontalAdvance(self.text()), metrics.height() + 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A chevron and words, both quiet."""
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colors.accent), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.hover) if self.underMouse() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS_S, RADIUS_S)
        color = QColor(colors.text_secondary)
        glyph = "chevron-down" if self.isChecked() else "chevron-right"
        top = (self.height() - _GLYPH_PX) / 2
        draw_glyph(painter, glyph, QRectF(SPACE_XS, top, _GLYPH_PX, _GLYPH_PX), color)
        painter.setPen(color)
        painter.setFont(typography().body)
        words = self.rect().adjusted(_GLYPH_PX + 2 * SPACE_XS + 2, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())


class ThoughtBlock(QWidget):
    """A header that says how long it took, and the thought below it.

    Nothing is laid out while it is folded.

    Args:
        lexers: for code blocks.
        clock: seconds, monotonic.
        parent: as always.
    """

    link_clicked = Signal(str)
    work_wanted = Signal()
    answer_now_requested = Signal()

    def __init__(self, lexers: LexerStore, clock: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._started_s = clock()
        self._duration_s: float | None = None
        self._is_running = True
        self._was_toggled = False
        self._tokens = 0
        self._note = ""
        self.header = _Header(self)
        self.answer_now = QuietButton("", self)
        self.answer_now.clicked.connect(self._on_answer_now)
        self.header.toggled.connect(self._on_toggled)
        self.header.clicked.connect(self._on_clicked)
        self.body = MarkdownBody(lexers, self._make_formats, self)
        self.body.link_clicked.connect(self.link_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, SPACE_S)
        layout.setSpacing(SPACE_XS)
        line = QHBoxLayout()
        line.setSpacing(SPACE_S)
        line.addWidget(self.header)
        line.addWidget(self.answer_now)
        line.addStretch(1)
        layout.addLayout(line)
        inset = QVBoxLayout()
        inset.setContentsMargins(_INSET_PX, 0, 0, SPACE_XS)
        inset.addWidget(self.body)
        layout.addLayout(inset)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._retranslate)
        self._timer.start()
        self.header.setChecked(True)
        self._retranslate()

    def is_folded(self) -> bool:
        """True while the thought is hidden."""
        return not self.header.isChecked()

    def set_folded(self, folded: bool) -> None:
        """Hide or show the thought."""
        self.header.setChecked(not folded)

    def set_tokens(self, tokens: int, note: str | None = None) -> None:
        """Say how long the thought is.

        Args:
            tokens: so far.
            note: why it ended, where the model did not end it; None while it goes on, or a further one does.
        """
        self._tokens = tokens
        self._note = note or ""
        if self._is_running:
            self.answer_now.setVisible(note is None)
        self._retranslate()

    def end(self, *, fold: bool) -> None:
        """The thought is complete.

        Args:
            fold: fold it, unless the person has folded or unfolded it before.
        """
        if not self._is_running:
            return
        self._is_running = False
        self._duration_s = self._clock() - self._started_s
        self._timer.stop()
        self.answer_now.hide()
        self.body.finish()
        if fold and not self._was_toggled:
            self.set_folded(True)
        self._retranslate()

    def restore(self, text: str) -> None:
        """Show a thought of an earlier day, folded; `set_duration` says how long it took, if that was kept."""
        self.set_folded(True)
        self.body.feed(text)
        self.body.finish()
        self._is_running = False
        self._timer.stop()
        self.answer_now.hide()
        self._retranslate()

    def set_duration(self, seconds: float) -> None:
        """Say how long it took, seconds."""
        self._duration_s = seconds
        self._retranslate()

    def process(self, has_time: Callable[[], bool]) -> bool:
        """Show what came, while unfolded. Returns True when nothing is left to do."""
        return self.is_folded() or self.body.process(has_time)

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        self.body.set_width(width_px - _INSET_PX)

    def restyle(self) -> None:
        """New colours and fonts."""
        self.body.restyle()
        self.header.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line at the left of the thought."""
        if self.is_folded():
            return
        painter = QPainter(self)
        painter.setPen(QPen(QColor(colors_of(self).border), 2))
        x = SPACE_XS + _GLYPH_PX // 2
        painter.drawLine(x, self.header.geometry().bottom() + SPACE_XS, x, self.height() - 2 * SPACE_S)

    def changeEvent(self, event: QEvent) -> None:
        """Speak the language of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _make_formats(self) -> Formats:
        """The answer's look, with the quiet colour as that of the text."""
        colors = colors_of(self)
        return Formats(replace(colors, text=colors.text_secondary), typography())

    def _on_toggled(self, unfolded: bool) -> None:
        self.body.setVisible(unfolded)
        self.update()
        self._retranslate()
        if unfolded:
            self.work_wanted.emit()

    def _on_clicked(self) -> None:
        self._was_toggled = True

    def _on_answer_now(self) -> None:
        self.answer_now.setEnabled(False)
        self.answer_now_requested.emit()

    def _retranslate(self) -> None:
        tool_tip = self.tr("End the thought and let the model answer from what it has")
        self.answer_now.set_words(self.tr("Answer now"), tool_tip)
        if self._is_running:
            seconds = int(self._clock() - self._started_s)
            text = self.tr("Thinking… %1 s").replace("%1", str(seconds)) if seconds else self.tr("Thinking…")
        elif self._duration_s is None:
            text = self.tr("Thought")
        else:
            text = self.tr("Thought for %1 s").replace("%1", str(max(1, round(self._duration_s))))
        if self._tokens:
            count = self.tr("%1 tokens").replace("%1", format_number(self._tokens))
            text = " · ".join(part for part in (text, count, self._note) if part)
        state = self.tr("folded") if self.is_folded() else self.tr("unfolded")
        self.header.set_words(text)
        self.header.setAccessibleName(f"{text}, {state}")
