"""Tells the conversation view which model was chosen and why, and how a thought goes."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QLocale, QObject

from desktopapp.engine.events import ModelReady
from desktopapp.engine.reasoning_events import (
    Routed,
    StepKind,
    StepStarted,
    ThoughtEnd,
    ThoughtEnded,
    ThoughtProgress,
)
from desktopapp.engine.routing.router import RouteCause
from desktopapp.ui.task_words import task_words
from desktopapp.ui.wording import kind_word


class ShownAnswer(Protocol):
    """What is needed of an answer's widget."""

    def set_label(self, model_label: str) -> None: ...
    def show_route(self, words: str, other: str) -> None: ...
    def set_status(self, text: str) -> None: ...
    def set_thought_tokens(self, tokens: int, note: str | None = None) -> None: ...


class ThinkingView(Protocol):
    """What is needed of the conversation view."""

    def shown_answer(self, answer_id: str) -> ShownAnswer | None: ...


class ThinkingNotes(QObject):
    """Turns the engine's events on choice and thought into words.

    Args:
        view: shows them.
        parent: as always.
    """

    def __init__(self, view: ThinkingView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._routed: Routed | None = None

    def on_routed(self, event: Routed) -> None:
        """The engine chose a model."""
        self._routed = event
        self._show(event, event.swap_s)

    def on_model_ready(self, event: ModelReady) -> None:
        """The model that was chosen is loaded: what the change really took takes the place of the estimate."""
        routed = self._routed
        if routed is not None and routed.swap_s and routed.model == event.model:
            self._show(routed, event.load_s)

    def on_step_started(self, event: StepStarted) -> None:
        """A step of staged reasoning begins."""
        if event.kind is StepKind.CHECK:
            text = self.tr("Checking the result …")
        elif event.kind is StepKind.ANSWER:
            text = self.tr("Writing the answer …")
        else:
            text = self.tr("Step {step} of at most {steps} …").format(step=event.step, steps=event.max_steps)
        if (answer := self._view.shown_answer(event.request_id)) is not None:
            answer.set_status(text)

    def on_thought_progressed(self, event: ThoughtProgress) -> None:
        """The thought grew."""
        self._routed = None
        if (answer := self._view.shown_answer(event.request_id)) is not None:
            answer.set_thought_tokens(event.tokens)

    def on_thought_ended(self, event: ThoughtEnded) -> None:
        """The thought is closed."""
        notes = {
            ThoughtEnd.MODEL: "",
            ThoughtEnd.BUDGET: self.tr("budget spent"),
            ThoughtEnd.LOOP: self.tr("went in circles"),
            ThoughtEnd.ASKED: self.tr("ended by you"),
        }
        if (answer := self._view.shown_answer(event.request_id)) is not None:
            answer.set_thought_tokens(event.tokens, notes[event.reason])

    def _show(self, event: Routed, swap_s: float) -> None:
        words = self.tr("{model}: {reason}").format(model=kind_word(event.mode), reason=self._reason(event))
        if swap_s >= 0.05:
            seconds = QLocale().toString(swap_s, "f", 1)
            words += self.tr("; swap {seconds} s").format(seconds=seconds)
        other = ""
        if event.has_other:
            kind = kind_word("instruct" if event.mode == "thinking" else "thinking")
            other = self.tr("Ask {model}").format(model=kind)
        if (answer := self._view.shown_answer(event.request_id)) is not None:
            answer.set_label(event.model)
            answer.show_route(words, other)

    def _reason(self, event: Routed) -> str:
        reasons = {
            RouteCause.FOLLOW_UP: self.tr("goes on with this conversation"),
            RouteCause.ONLY_ONE: self.tr("the only one here"),
            RouteCause.ASKED: self.tr("as you asked"),
            RouteCause.RESIDENT: self.tr("a close call, and it is loaded"),
        }
        cause = RouteCause(event.cause)
        return reasons.get(cause) or task_words(event.task)
