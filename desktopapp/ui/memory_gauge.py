"""How full the memory is that answers run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import SPACE_S
from desktopapp.ui.wording import format_memory, tooltip_text

if TYPE_CHECKING:
    from desktopapp.engine.events import MemorySample

_WARN_FROM = 0.85
_ALARM_FROM = 0.95


class _Bar(QWidget):
    """The bar alone: used part of the track, warmer when little is left."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.fraction = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(88, 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = colors_of(self)
        fill = colors.accent
        if self.fraction >= _WARN_FROM:
            fill = colors.danger if self.fraction >= _ALARM_FROM else colors.warning
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        track = QRectF(self.rect())
        painter.setBrush(QColor(colors.border))
        painter.drawRoundedRect(track, 3, 3)
        if self.fraction > 0:
            track.setWidth(max(6.0, track.width() * min(1.0, self.fraction)))
            painter.setBrush(QColor(fill))
            painter.drawRoundedRect(track, 3, 3)
        painter.end()


class MemoryGauge(QWidget):
    """Used and total memory: the GPU's where there is one, else the computer's, and named so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sample: MemorySample | None = None
        self._bar = _Bar(self)
        self._label = QLabel(self)
        self._label.setProperty("role", "secondary")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._bar)
        layout.addWidget(self._label)
        self._retranslate()

    def show_sample(self, sample: MemorySample) -> None:
        """Show a sample; called about once a second."""
        self._sample = sample
        self._bar.fraction = sample.used_bytes / sample.total_bytes if sample.total_bytes else 0.0
        self._bar.update()
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        sample = self._sample
        if sample is None:
            self._label.setText(self.tr("Memory …"))
            self.setAccessibleName(self.tr("Memory: not measured yet"))
            return
        kind = self.tr("GPU") if sample.is_gpu else self.tr("RAM")
        used, total = format_memory(sample.used_bytes), format_memory(sample.total_bytes)
        text = self.tr("{kind} {used} / {total} GiB").format(kind=kind, used=used, total=total)
        self._label.setText(text)
        self.setAccessibleName(text)
        whose = self.tr("{device}: {used} of {total} GiB used by all programs.").format(
            device=sample.device, used=used, total=total
        )
        engine = self.tr("The engine uses {used} GiB.").format(used=format_memory(sample.engine_bytes))
        self.setToolTip(tooltip_text(f"{whose} {engine}" if sample.engine_bytes else whose))
