"""What a draft would cost as a whole, and whether it fits, in one line with an icon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change, set_style_property
from desktopapp.ui.tokens import SPACE_XS
from desktopapp.ui.wording import (
    device_word,
    format_memory_size,
    format_number,
    kv_type_word,
    note_sentence,
    step_words,
    tooltip_text,
)

if TYPE_CHECKING:
    from desktopapp.engine.price_events import Planned

_ICON = 16


class PriceLine(QWidget):
    """Empty until a plan is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._planned: Planned | None = None
        self._unusable = 0
        self._icon = QLabel(self)
        self._text = ElidedLabel(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._text, 1)

    @property
    def planned(self) -> Planned | None:
        """What is shown."""
        return self._planned

    @property
    def text(self) -> str:
        """The line in full."""
        return self._text.text()

    def show_planned(self, planned: Planned | None) -> None:
        """Show a plan; None empties the line."""
        if planned != self._planned:
            self._planned = planned
            self._retranslate()

    def show_unusable(self, count: int) -> None:
        """Say that this many files of the draft cannot be used, whatever the others cost."""
        if count != self._unusable:
            self._unusable = count
            self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange or is_palette_change(event):
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        planned = self._planned
        if planned is None and not self._unusable:
            self._text.set_full_text("")
            self._icon.clear()
            return
        colors = colors_of(self)
        role, icon, tint = "secondary", "check", colors.success
        if self._unusable or planned is None:
            role, icon, tint = "danger", "warning", colors.danger
        elif _goes_in_parts(planned):
            icon, tint = "info", colors.warning
        elif not planned.fits:
            role, icon, tint = "danger", "warning", colors.danger
        elif planned.steps_taken:
            icon = "info"
            tint = colors.warning
        set_style_property(self._text, "role", role)
        pixmap = tinted_icon(icon, tint, size=_ICON).pixmap(QSize(_ICON, _ICON), self.devicePixelRatio())
        self._icon.setPixmap(pixmap)
        if self._unusable or planned is None:
            one, many = self.tr("1 file cannot be used"), self.tr("{count} files cannot be used")
            summary = one if self._unusable == 1 else many.format(count=self._unusable)
        else:
            summary = self._summary(planned)
        details = self._details(planned) if planned is not None else ""
        self._text.set_full_text(summary)
        self._text.setToolTip(tooltip_text(details))
        self._text.setAccessibleDescription(details)

    def _summary(self, planned: Planned) -> str:
        figures = {
            "tokens": format_number(planned.prompt_tokens),
            "peak": format_memory_size(planned.peak_bytes),
            "limit": format_memory_size(planned.limit_bytes),
        }
        if _goes_in_parts(planned):
            text = self.tr("Too much at once, so it is answered in parts · {tokens} tokens")
        elif _is_too_long(planned):
            figures["most"] = format_number(planned.context_tokens)
            text = self.tr("Too long: {tokens} tokens, and the model reads {most} at once")
        elif not planned.fits:
            figures["short"] = format_memory_size(planned.shortfall_bytes)
            text = self.tr("Does not fit: {short} too much · {tokens} tokens, peak {peak} of {limit}")
        elif planned.steps_taken:
            figures["how"] = ", ".join(step_words(step) for step in planned.steps_taken)
            text = self.tr("Fits with {how} · {tokens} tokens, peak {peak} of {limit}")
        else:
            text = self.tr("Fits · {tokens} tokens, peak {peak} of {limit}")
        return text.format(**figures)

    def _details(self, planned: Planned) -> str:
        where = self.tr("{model} in {device}, KV cache in {kv_type}").format(
            model=planned.model,
            device=device_word(planned.device),
            kv_type=kv_type_word(planned.kv_type),
        )
        why = planned.reason_notes if planned.fits else (*planned.conflict_notes, *planned.remedy_notes)
        return "\n".join([where, *(note_sentence(note) for note in why)])


def _goes_in_parts(planned: Planned) -> bool:
    """Whether what is too much is a document or video, which the engine then takes part by part."""
    if planned.fits:
        return False
    long = [one.bytes for one in planned.attachments if (one.pages or 0) > 1 or (one.frames or 0) > 1]
    return bool(long) and sum(long) > planned.shortfall_bytes


def _is_too_long(planned: Planned) -> bool:
    """Whether memory would do, and the model's own context does not."""
    return not planned.fits and not planned.shortfall_bytes
