"""The quiet line below an answer: copy, send again, how it ended and how fast it was."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktopapp.engine.events import FinishReason, Stats
from desktopapp.ui.conversation.buttons import CopyButton, QuietButton
from desktopapp.ui.conversation.message import RING_PX
from desktopapp.ui.conversation.sanitise import plain_tool_tip
from desktopapp.ui.theme import colors_of, fonts, is_palette_change
from desktopapp.ui.tokens import SPACE_XS
from desktopapp.ui.wording import (
    format_figure,
    format_memory_size,
    format_number,
    kind_word,
    translate_phrase,
)


class AnswerFooter(QWidget):
    """Buttons and figures."""

    copy_requested = Signal()
    retry_requested = Signal()
    go_on_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reason: FinishReason | None = None
        self._stats: Stats | None = None
        self.copy_button = CopyButton(with_words=False, parent=self)
        self.copy_button.clicked.connect(self.copy_requested)
        self.retry_button = QuietButton("retry", self)
        self.retry_button.clicked.connect(self.retry_requested)
        self.retry_button.hide()
        self.go_on_button = QuietButton("play", self)
        self.go_on_button.clicked.connect(self.go_on_requested)
        self.go_on_button.hide()
        self.details_button = QuietButton("info", self)
        self.details_button.clicked.connect(self._toggle_details)
        self.label = QLabel(self)
        self.details = QLabel(self)
        self.details.setWordWrap(True)
        self.details.setContentsMargins(RING_PX, 0, 0, 0)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        line = QHBoxLayout()
        line.setSpacing(SPACE_XS)
        line.addWidget(self.copy_button)
        line.addWidget(self.go_on_button)
        line.addWidget(self.retry_button)
        line.addWidget(self.details_button)
        line.addSpacing(SPACE_XS)
        line.addWidget(self.label)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(line)
        layout.addWidget(self.details)
        self._retranslate()

    def show_end(self, reason: FinishReason | None, stats: Stats | None, *, can_copy: bool) -> None:
        """Say how the answer ended.

        Args:
            reason: why; None when it failed or is not known.
            stats: measured figures, if any.
            can_copy: there is text.
        """
        self._reason, self._stats = reason, stats
        self.copy_button.setVisible(can_copy)
        self.retry_button.setVisible(reason is FinishReason.CANCELLED)
        self._retranslate()

    def offer_to_go_on(self, offered: bool) -> None:
        """A long job can be taken up behind the parts that are done."""
        self.go_on_button.setVisible(offered)

    def _toggle_details(self) -> None:
        self.details.setVisible(self.details.isHidden())
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Language and colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange or is_palette_change(event):
            self._retranslate()

    def _retranslate(self) -> None:
        self.copy_button.describe(self.tr("Copy answer"))
        words = self.tr("Go on with the remaining parts")
        self.go_on_button.set_words(self.tr("Continue"), words)
        self.retry_button.set_words(self.tr("Send again"), self.tr("Send again"))
        words = self.tr("Details") if self.details.isHidden() else self.tr("Hide details")
        self.details_button.set_words("", words)
        color = colors_of(self).text_secondary
        for label in (self.label, self.details):
            label.setFont(fonts().small)
            if label.styleSheet() != f"color: {color}":
                label.setStyleSheet(f"color: {color}")
        details = self._details()
        self.details_button.setVisible(bool(details))
        self.label.setText("  ·  ".join(self._facts()))
        self.label.setToolTip(plain_tool_tip("\n".join(details)))
        self.label.setAccessibleDescription("; ".join(details))
        self.details.setText("\n".join(details))

    def _facts(self) -> list[str]:
        facts = []
        if self._reason is FinishReason.CANCELLED:
            facts.append(self.tr("Stopped"))
        elif self._reason is FinishReason.LENGTH:
            facts.append(self.tr("Cut at the length limit"))
        stats = self._stats
        if stats is not None and stats.decode_tokens_per_s is not None:
            facts.append(self.tr("%1 tokens/s").replace("%1", format_figure(stats.decode_tokens_per_s)))
        if stats is not None and stats.time_to_first_token_s is not None:
            seconds = format_figure(stats.time_to_first_token_s)
            facts.append(self.tr("%1 s to the first token").replace("%1", seconds))
        return facts

    def _details(self) -> list[str]:
        stats = self._stats
        if stats is None:
            return []
        return [
            self.tr("Model: %1 (%2)").replace("%1", stats.model).replace("%2", kind_word(stats.mode)),
            self.tr("Backend: %1. %2")
            .replace("%1", stats.backend)
            .replace("%2", translate_phrase(stats.backend_reason)),
            self.tr("Prompt: %1 tokens, %2 of them from the cache")
            .replace("%1", format_number(stats.prompt_tokens))
            .replace("%2", format_number(stats.cached_tokens)),
            self.tr("Answer: %1 tokens").replace("%1", format_number(stats.new_tokens)),
            *self._memory(stats),
        ]

    def _memory(self, stats: Stats) -> list[str]:
        """Planned against measured, where both are known."""
        if not stats.peak_bytes:
            return []
        peak = format_memory_size(stats.peak_bytes, 2)
        if not stats.planned_peak_bytes:
            return [self.tr("Peak memory: %1").replace("%1", peak)]
        off = stats.planned_peak_bytes / stats.peak_bytes - 1
        text = self.tr("Peak memory: %1, planned %2 (%3 %)").replace("%1", peak)
        text = text.replace("%2", format_memory_size(stats.planned_peak_bytes, 2))
        return [text.replace("%3", f"{'+' if off >= 0 else '−'}{format_number(abs(off) * 100, 1)}")]
