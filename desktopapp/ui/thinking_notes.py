"""Tells the conversation view which model was chosen and why, and how a thought goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import msgspec
from PySide6.QtCore import QLocale, QObject, Signal, SignalInstance

from desktopapp.conversations import StoredMessage
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
from desktopapp.ui.stored_answers import stats_of
from desktopapp.ui.task_words import task_words
from desktopapp.ui.wording import kind_word


class ShownAnswer(Protocol):
    """What is needed of an answer's widget."""

    def set_label(self, model_label: str) -> None: ...
    def show_route(self, words: str, other: str) -> None: ...
    def set_status(self, text: str) -> None: ...
    def set_thought_tokens(self, tokens: int, note: str | None = None) -> None: ...
    def set_thought_time(self, seconds: float) -> None: ...


class ThinkingSource(Protocol):
    """What is needed of the worker."""

    @property
    def routed(self) -> SignalInstance: ...
    @property
    def model_ready(self) -> SignalInstance: ...
    @property
    def step_started(self) -> SignalInstance: ...
    @property
    def thought_progressed(self) -> SignalInstance: ...
    @property
    def thought_ended(self) -> SignalInstance: ...


class ThinkingView(Protocol):
    """What is needed of the conversation view."""

    def shown_answer(self, answer_id: str) -> ShownAnswer | None: ...


class ThinkingNotes(QObject):
    """Turns the engine's events on choice and thought into words.

    Signals:
        settled: a `Routed` that is to be kept with its answer; comes again with the seconds that the change really took.

    Args:
        view: shows them.
        parent: as always.
    """

    settled = Signal(object)

    def __init__(self, view: ThinkingView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._routed: Routed | None = None

    def follow(self, worker: ThinkingSource) -> None:
        """Hear what the engine says of choice and thought."""
        worker.routed.connect(self.on_routed)
        worker.model_ready.connect(self.on_model_ready)
        worker.step_started.connect(self.on_step_started)
        worker.thought_progressed.connect(self.on_thought_progressed)
        worker.thought_ended.connect(self.on_thought_ended)

    def on_routed(self, event: Routed) -> None:
        """The engine chose a model."""
        self._routed = event
        self._show(event)
        self.settled.emit(event)

    def on_model_ready(self, event: ModelReady) -> None:
        """The model that was chosen is loaded: what the change really took takes the place of the estimate."""
        routed = self._routed
        if routed is not None and routed.swap_s and routed.model == event.model:
            self._routed = replace(routed, swap_s=event.load_s)
            self._show(self._routed)
            self.settled.emit(self._routed)

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
        if (answer := self._view.shown_answer(event.request_id)) is not None:
            answer.set_thought_tokens(event.tokens, self._end_note(event.reason))

    def show_kept(self, messages: Iterable[StoredMessage]) -> None:
        """Say again what was kept with the answers of a conversation that is shown anew."""
        for message in messages:
            if (routed := _routed_of(message)) is not None:
                self._show(routed)
            answer, stats = self._view.shown_answer(message.message_id), stats_of(message)
            if answer is not None and stats is not None and stats.thought_tokens:
                answer.set_thought_tokens(stats.thought_tokens, self._end_note(stats.thought_end))
                answer.set_thought_time(stats.thought_s)

    def _end_note(self, reason: str) -> str:
        """Why a thought ended; empty where the model ended it, or nobody knows."""
        notes: dict[str, str] = {
            ThoughtEnd.BUDGET: self.tr("budget spent"),
            ThoughtEnd.LOOP: self.tr("went in circles"),
            ThoughtEnd.ASKED: self.tr("ended by you"),
        }
        return notes.get(reason, "")

    def _show(self, event: Routed) -> None:
        words = self.tr("{model}: {reason}").format(model=kind_word(event.mode), reason=self._reason(event))
        if event.swap_s >= 0.05:
            seconds = QLocale().toString(event.swap_s, "f", 1)
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
        return reasons.get(RouteCause(event.cause)) or task_words(event.task)


def _routed_of(message: StoredMessage) -> Routed | None:
    """The choice that was kept with an answer; None where there is none, or another version's."""
    if not message.route:
        return None
    try:
        routed = msgspec.convert(message.route, Routed)
        RouteCause(routed.cause)
    except (msgspec.ValidationError, ValueError):
        return None
    return routed if routed.request_id == message.message_id else None
