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
"""In a narrower window the gauge's curve gives way."""

_SLACK_PX = 4
"""Labels ask for a pixel or two more than their text's advance."""


class StatusLine(QWidget):
    """Model and engine on the left, speed and memory on the right.

    Where there is no room for all, what is least needed is left out whole: first why this backend runs the model, then
    the speed, which stands below the answer as well, then the precision, and last the model, which stands at the top as well.
    The tool tip has everything.
    """

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
        return _joined(self._state_parts())

    @property
    def shown(self) -> tuple[str, str]:
        """What there is room for: the left part, and the speed or nothing."""
        return self._state.text(), self._speed.text()

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

    def show_unloaded(self) -> None:
        """The model's memory was given back."""
        self._show_engine("unloaded")

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

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            # The gauge's figures have become longer or shorter.
            self._retranslate()
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _show_engine(self, state: str) -> None:
        self._engine_state = state
        self._loading = self._ready = None
        self._retranslate()

    def _retranslate(self) -> None:
        state, speed = self._fitting(self._state_parts(), self._speed_parts())
        self._state.set_full_text(state, whole=self.text)
        self._speed.setText(speed)
        self._speed.setAccessibleName(speed)
        self._speed.setVisible(bool(speed))

    def _fitting(self, state: list[str], speed: list[str]) -> tuple[str, str]:
        """As much of both as there is room for."""
        margins = self.contentsMargins()
        room = self.width() - 2 * SPACE_L - margins.left() - margins.right()
        room -= self.gauge.sizeHint().width() + SPACE_L + _SLACK_PX
        device = state[2:3] or state
        ways = [(state, speed), (state[:3], speed), (state[:3], speed[:1]), (state[:3], [])]
        for left, right in [*ways, (state[:1] + state[2:3], [])]:
            texts = _joined(left), _joined(right)
            if self._width_of(*texts) <= room:
                return texts
        return _joined(device), ""

    def _width_of(self, state: str, speed: str) -> int:
        width = self._state.fontMetrics().horizontalAdvance(state)
        return width + (SPACE_L + self._speed.fontMetrics().horizontalAdvance(speed) if speed else 0)

    def _state_parts(self) -> list[str]:
        """Model, precision, where it runs, and why there; or one sentence."""
        if self._loading is not None:
            return [self._loading_text(self._loading)]
        if self._ready is not None:
            ready = self._ready
            reason = translate_phrase(ready.reason).rstrip(".。")
            where = self.tr("{backend} on {device}").format(
                backend=ready.backend, device=_device(ready.device)
            )
            return [ready.model, ready.precision, where, reason]
        return [self._engine_words()]

    def _engine_words(self) -> str:
        return {
            "starting": self.tr("Starting the engine …"),
            "started": self.tr("The engine is ready, no model is loaded"),
            "started_again": self.tr("The engine was started again; the model loads with your next message"),
            "no_model": self.tr("No model is loaded"),
            "unloaded": self.tr("No model is loaded; it loads with your next message"),
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

    def _speed_parts(self) -> list[str]:
        stats = self._stats
        if stats is None:
            return []
        parts = []
        if stats.decode_tokens_per_s is not None:
            rate = format_figure(stats.decode_tokens_per_s)
            parts.append(self.tr("{rate} tokens/s").format(rate=rate))
        if stats.time_to_first_token_s is not None:
            seconds = format_figure(stats.time_to_first_token_s)
            parts.append(self.tr("first token {seconds} s").format(seconds=seconds))
        return parts


def _joined(parts: list[str]) -> str:
    return " · ".join(part for part in parts if part)


def _device(device: str) -> str:
    return {"cpu": "CPU", "cuda:0": "GPU", "cuda": "GPU"}.get(device, device)
