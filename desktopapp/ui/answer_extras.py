"""What belongs to an answer beside its text: which model gave it, where it looked closer, how far a long job is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject

from desktopapp.conversations import StoredMessage
from desktopapp.engine.media_events import StretchAnswered, ZoomedIn
from desktopapp.engine.reasoning_events import Routed
from desktopapp.engine.request import JobSoFar

if TYPE_CHECKING:
    from desktopapp.ui.chat import Chat
    from desktopapp.ui.chat_view import View


class AnswerExtras(QObject):
    """Takes the engine's events on these.

    Args:
        chat: keeps them with the answer.
        view: shows them.
        parent: as always.
    """

    def __init__(self, chat: Chat, view: View, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chat = chat
        self._view = view

    def on_zoomed_in(self, event: ZoomedIn) -> None:
        """The model is shown a part of a picture."""
        answer = self._chat.running_answer(event.request_id)
        if answer is not None:
            self._chat.keep(replace(answer, zooms=(*answer.zooms, msgspec.to_builtins(event))))
            if (shown := self._view.shown_answer(event.request_id)) is not None:
                shown.show_zoom(event)

    def on_routed(self, event: Routed) -> None:
        """The engine chose the model of a pair; comes again when it is known what the change really took."""
        answer = self._chat.running_answer(event.request_id)
        if answer is not None:
            self._chat.keep(replace(answer, model_label=event.model, route=msgspec.to_builtins(event)))

    def on_stretch_answered(self, event: StretchAnswered) -> None:
        """A part of a long job is done."""
        answer = self._chat.running_answer(event.request_id)
        if answer is not None:
            done = job_of(answer) or JobSoFar()
            job = JobSoFar((*done.answered, event.answered), event.waiting)
            self._chat.keep(replace(answer, job=msgspec.to_builtins(job)))


def job_of(message: StoredMessage) -> JobSoFar | None:
    """How far a long job was kept; None where there is none, or another version's."""
    try:
        return msgspec.convert(message.job, JobSoFar) if message.job else None
    except msgspec.ValidationError:
        return None


def zooms_of(message: StoredMessage) -> Sequence[ZoomedIn]:
    """Where the model looked closer, as far as that can be read."""
    try:
        return msgspec.convert(message.zooms, tuple[ZoomedIn, ...])
    except msgspec.ValidationError:
        return ()
