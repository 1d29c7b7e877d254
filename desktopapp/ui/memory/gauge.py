"""The gauge in the status line: curve of the last minutes, bar with ceiling, figures; details on hover and click."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QToolTip, QWidget

from desktopapp.engine.memory.account import Account, Alarm, account_of, alarm_of
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.memory.bar import MemoryBar
from desktopapp.ui.memory.history import History
from desktopapp.ui.memory.sparkline import Sparkline
from desktopapp.ui.memory.wording import alarm_sentence, alarm_words, figures_html, figures_text
from desktopapp.ui.theme import colors_of, is_palette_change, set_style_property
from desktopapp.ui.tokens import SPACE_S
from desktopapp.ui.wording import format_memory

if TYPE_CHECKING:
    from desktopapp.engine.price_events import MemorySample
    from desktopapp.ui.memory.panel import MemoryPanel

_BAR_HEIGHT = 8
_SPARKLINE = QSize(48, 18)
_ICON = 14


class MemoryGauge(QWidget):
    """The device's memory: the GPU's where answers run there, else the computer's, and named so.

    Args:
        parent: of the widget.
        clock: seconds, growing.

    Signals:
        limit_chosen: the person set another ceiling; carries GiB (`float`), or None for none.
        unload_wanted: the model's memory is to be given back.
    """

    limit_chosen = Signal(object)
    unload_wanted = Signal()

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._sample: MemorySample | None = None
        self._account: Account | None = None
        self._planned_bytes: int | None = None
        self._panel: MemoryPanel | None = None
        self._alarm = Alarm.NONE
        self._kept_clear: QWidget = self
        self.history = History()
        self._sparkline = Sparkline(self.history, _SPARKLINE, self)
        self.bar = MemoryBar(_BAR_HEIGHT, self)
        self._figures = QToolButton(self)
        self._figures.setProperty("role", "gauge")
        self._figures.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._figures.setIconSize(QSize(_ICON, _ICON))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._sparkline)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self._figures)
        self._figures.clicked.connect(self.open_panel)
        self.bar.pressed_elsewhere.connect(self.open_panel)
        self.bar.limit_moved.connect(self._on_limit_moved)
        self.bar.limit_chosen.connect(self._on_limit_chosen)
        self._retranslate()

    @property
    def alarm(self) -> Alarm:
        """How serious the last sample was."""
        return self._alarm

    @property
    def sample(self) -> MemorySample | None:
        """The last one; None before the first."""
        return self._sample

    @property
    def text(self) -> str:
        """What stands beside the bar."""
        return self._figures.text()

    @property
    def panel(self) -> MemoryPanel:
        """The details, made when they are wanted first."""
        if self._panel is None:
            from desktopapp.ui.memory.panel import MemoryPanel

            self._panel = MemoryPanel(self.history, self)
            self._panel.limit_moved.connect(self._on_limit_moved)
            self._panel.limit_chosen.connect(self._on_limit_chosen)
            self._panel.unload_wanted.connect(self.unload_wanted)
        return self._panel

    def show_sample(self, sample: MemorySample) -> None:
        """Show a sample; called about five times a second while something is computed."""
        if self._sample is not None and self._sample.device != sample.device:
            self.history.clear()
        self._sample = sample
        self._account = account_of(sample)
        total = self._account.total_bytes or 1
        self.history.add(self._clock(), self._account.engine_bytes / total, self._account.used_bytes / total)
        self.bar.show_account(self._account)
        self._sparkline.update()
        self._show_state()

    def show_planned(self, peak_bytes: int | None) -> None:
        """Mark what the next answer is planned to need at most; None takes the mark away."""
        self._planned_bytes = peak_bytes
        self.bar.show_planned(peak_bytes)
        self._show_state()

    def show_limit(self, limit_gib: float | None) -> None:
        """Show the ceiling that is set; emits nothing."""
        self.bar.show_limit(None if limit_gib is None else round(limit_gib * 2**30))
        self._show_state()

    def keep_clear(self, widget: QWidget) -> None:
        """Have the details never cover this."""
        self._kept_clear = widget

    def show_curve(self, visible: bool) -> None:
        """Show or hide the curve of the last minutes, for which a narrow window has no room."""
        self._sparkline.setVisible(visible)

    def open_panel(self) -> None:
        """Open the details."""
        if self._sample is not None:
            self._fill_panel()
            right_edge = self.mapToGlobal(QPoint(self.width() - 1, 0)).x()
            self.panel.open_beside(self._kept_clear, right_edge)

    def figures(self) -> str:
        """What hovering shows, as plain text."""
        if self._sample is None or self._account is None:
            return ""
        return figures_text(self._sample, self._account, self._planned_bytes, self.bar.limit_bytes)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._show_figures(event.globalPos())
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.open_panel()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif is_palette_change(event):
            self._retint()
        super().changeEvent(event)

    def _show_figures(self, place: QPoint) -> None:
        if self._sample is None or self._account is None:
            return
        hovered = self.bar.segment_at(self.bar.mapFromGlobal(place).x())
        html = figures_html(
            self._sample,
            self._account,
            self._planned_bytes,
            self.bar.limit_bytes,
            colors=colors_of(self),
            marked=hovered,
        )
        QToolTip.showText(place, html, self)

    def _on_limit_moved(self, limit_bytes: int | None) -> None:
        self.bar.show_limit(limit_bytes)
        self._show_state()

    def _on_limit_chosen(self, limit_bytes: int | None) -> None:
        self._on_limit_moved(limit_bytes)
        self.limit_chosen.emit(None if limit_bytes is None else round(limit_bytes / 2**30, 2))

    def _show_state(self) -> None:
        sample = self._sample
        if sample is None:
            return
        alarm = alarm_of(sample, self.bar.limit_bytes)
        if alarm is not self._alarm:
            self._alarm = alarm
            self._retint()
        kind = self.tr("GPU") if sample.is_gpu else self.tr("RAM")
        used, total = format_memory(sample.used_bytes), format_memory(sample.total_bytes)
        text = self.tr("{kind} {used} / {total} GiB").format(kind=kind, used=used, total=total)
        words = alarm_words(alarm)
        self._say(f"{words} · {text}" if words else text)
        if self._panel is not None and self._panel.isVisible():
            self._fill_panel()

    def _say(self, text: str) -> None:
        if text == self._figures.text():
            return
        self._figures.setText(text)
        self.setAccessibleName(text)
        self._figures.setAccessibleName(self.tr("Memory: {figures}").format(figures=text))
        self._figures.setAccessibleDescription(self.figures())
        self.bar.setAccessibleDescription(self.figures())

    def _fill_panel(self) -> None:
        if self._sample is not None and self._account is not None:
            words = alarm_sentence(self._alarm)
            self.panel.show_state(
                self._sample, self._account, self._planned_bytes, self.bar.limit_bytes, self._alarm, words
            )

    def _retint(self) -> None:
        colors = colors_of(self)
        serious = self._alarm > Alarm.TIGHT
        tint = colors.danger if serious else colors.warning
        icon = tinted_icon("warning", tint, size=_ICON) if self._alarm else None
        alarm = ("serious" if serious else "slight") if self._alarm else ""
        set_style_property(self._figures, "alarm", alarm)
        if icon is None:
            self._figures.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        else:
            self._figures.setIcon(icon)
            self._figures.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def _retranslate(self) -> None:
        self.bar.setAccessibleName(self.tr("Memory ceiling"))
        if self._sample is None:
            self._say(self.tr("Memory …"))
        else:
            self._figures.setText("")
            self._show_state()
        self._retint()
