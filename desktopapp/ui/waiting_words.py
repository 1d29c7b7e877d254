"""What an answer waits for before its first word: the model, its files, the prompt. In words."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktopapp.engine.events import (
    AttachmentRead,
    ModelLoading,
    PrefillProgress,
    RequestStarted,
)
from desktopapp.engine.reasoning_events import StepKind, StepStarted
from desktopapp.ui.chat_view import View
from desktopapp.ui.wording import file_label, format_number


class WaitingWords(QObject):
    """Follows the engine's events for the answer that runs.

    Args:
        view: shows the words.
        parent: as always.
    """

    def __init__(self, view: View, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._loading: ModelLoading | None = None
        self._answer_id = ""
        self._is_in_steps = False

    def begin(self, answer_id: str) -> None:
        """An answer waits from now on."""
        self._answer_id = answer_id
        self._is_in_steps = False
        self._show(answer_id, self._first_words())

    def end(self) -> None:
        """It has ended, or is to be stopped: nothing more is said of it."""
        self._answer_id = ""

    def forget_loading(self) -> None:
        """No model is being loaded any more."""
        self._loading = None

    def on_request_started(self, event: RequestStarted) -> None:
        """The engine took up the question."""
        self._loading = None
        self._show(event.request_id, self.tr("Reading the question …"))

    def on_model_loading(self, event: ModelLoading) -> None:
        """The question waits for its model."""
        self._loading = event
        self._show(self._answer_id, self._first_words())

    def on_attachment_read(self, event: AttachmentRead) -> None:
        """A picture was decoded."""
        text = self.tr("Looking at {name} …").format(name=file_label(event.path))
        self._show(event.request_id, f"{text} ({event.note})" if event.note else text)

    def on_step_started(self, event: StepStarted) -> None:
        """A step has words of its own; behind the first, what it reads is little and goes untold."""
        if event.request_id == self._answer_id:
            self._is_in_steps = event.step > 1 or event.kind is not StepKind.THINK

    def on_prefill_progressed(self, event: PrefillProgress) -> None:
        """The prompt is being read."""
        if self._is_in_steps:
            return
        done, total = format_number(event.done_tokens), format_number(event.total_tokens)
        self._show(
            event.request_id, self.tr("Reading {done} of {total} tokens …").format(done=done, total=total)
        )

    def _first_words(self) -> str:
        """Before the engine takes the question up."""
        loading = self._loading
        if loading is None:
            return self.tr("Reading the question …")
        if not loading.fraction:  # "0 %" would stand still while libraries start
            return self.tr("Loading {model} …").format(model=loading.model)
        percent = round(loading.fraction * 100)
        return self.tr("Loading {model}, {percent} %").format(model=loading.model, percent=percent)

    def _show(self, answer_id: str, words: str) -> None:
        if answer_id and answer_id == self._answer_id:
            self._view.set_status(answer_id, words)
