"""The line at the bottom: which model runs where and why, what the engine does, how fast it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.memory import MemoryGauge
from desktopapp.ui.tokens import SPACE_L
from desktopapp.ui.wording import format_figure, translate_phrase

if TYPE_CHECKING:
    from desktopapp.engine.events import ModelLoading, ModelReady, Stats


_ROOMY_FROM_PX = 860
"""In a narrower window the gauge's curve and the speed, which stands below the answer as well, give way."""


class StatusLine(QWidget):
    """Model and engine on the left, speed and memory on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine_state = "starting"
        self._loading: ModelLoading | None = None
        self._ready: ModelReady | None = None
        self._stats: Stats | None = None
        self._state = ElidedLabel(self)
        self._speed = QLabel(self)
        for label in (self._state, self._speed):
            label.setProperty("role", "secondary")
        self.gauge = MemoryGauge(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_L, 1, SPACE_L, 5)
        layout.setSpacing(SPACE_L)
        layout.addWidget(self._state, 1)
        layout.addWidget(self._speed)
        layout.addWidget(self.gauge)
        self._retranslate()

    @property
    def text(self) -> str:
        """What the left part says in full."""
        return self._state.text()

    @property
    def is_loading(self) -> bool:
        """True while a model is being loaded."""
        return self._loading is not None

    def show_engine_started(self, *, again: bool = False) -> None:
        """The engine process runs, without a model yet.

        Args:
            again: in the place of one that ended; the next question loads its model.
        """
        self._show_engine("started_again" if again else "started")

    def show_engine_stopped(self) -> None:
        """The engine process ended."""
        self._show_engine("stopped")

    def show_no_model(self) -> None:
        """There is no model that can be loaded, or loading failed."""
        self._show_engine("no_model")

    def show_loading(self, loading: ModelLoading) -> None:
        """A model is being loaded."""
        self._loading, self._ready = loading, None
        self._retranslate()

    def show_ready(self, ready: ModelReady) -> None:
        """A model is loaded."""
        self._loading, self._ready = None, ready
        self._retranslate()

    def show_stats(self, stats: Stats | None) -> None:
        """The speed of the last answer; None for none."""
        self._stats = stats
        self._retranslate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.gauge.show_curve(self.width() >= _ROOMY_FROM_PX)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _show_engine(self, state: str) -> None:
        self._engine_state = state
        self._loading = self._ready = None
        self._retranslate()

    def _retranslate(self) -> None:
        self._state.set_full_text(self._state_text())
        speed = self._speed_text()
        self._speed.setText(speed)
        self._speed.setAccessibleName(speed)
        self._speed.setVisible(bool(speed) and self.width() >= _ROOMY_FROM_PX)

    def _state_text(self) -> str:
        if self._loading is not None:
            return self._loading_text(self._loading)
        if self._ready is not None:
            ready = self._ready
            reason = translate_phrase(ready.reason).rstrip(".。")
            where = self.tr("{backend} on {device}").format(
                backend=ready.backend, device=_device(ready.device)
            )
            parts = (ready.model, ready.precision, where, reason)
            return " · ".join(part for part in parts if part)
        return {
            "starting": self.tr("Starting the engine …"),
            "started": self.tr("The engine is ready, no model is loaded"),
            "started_again": self.tr("The engine was started again; the model loads with your next message"),
            "no_model": self.tr("No model is loaded"),
            "stopped": self.tr("The engine is not running"),
        }[self._engine_state]

    def _loading_text(self, loading: ModelLoading) -> str:
        stage = {
            "import": self.tr("Starting {backend}"),
            "tokenizer": self.tr("Loading the tokenizer"),
            "weights": self.tr("Loading weights"),
            "vision": self.tr("Loading the vision part"),
            "warm_up": self.tr("Warming up"),
        }.get(loading.stage, self.tr("Loading"))
        text = stage.format(backend=loading.backend)
        if loading.fraction:
            text = self.tr("{stage} {percent} %").format(stage=text, percent=round(loading.fraction * 100))
        return f"{loading.model} · {text}"

    def _speed_text(self) -> str:
        stats = self._stats
        if stats is None:
            return ""
        parts = []
        if stats.decode_tokens_per_s is not None:
            rate = format_figure(stats.decode_tokens_per_s)
            parts.append(self.tr("{rate} tokens/s").format(rate=rate))
        if stats.time_to_first_token_s is not None:
            seconds = format_figure(stats.time_to_first_token_s)
            parts.append(self.tr("first token {seconds} s").format(seconds=seconds))
        return " · ".join(parts)


def _device(device: str) -> str:
    return {"cpu": "CPU", "cuda:0": "GPU", "cuda": "GPU"}.get(device, device)
