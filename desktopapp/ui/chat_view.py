"""What the chat needs of the conversation view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from desktopapp.engine.events import Channel, FinishReason, Stats
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.request import Attachment
from desktopapp.ui.remedy_actions import RemedyOffer


class ShownAnswer(Protocol):
    """What the chat needs of an answer's widget."""

    def show_zoom(self, zoom: ZoomedIn) -> None: ...
    def offer_to_go_on(self, offered: bool) -> None: ...
    def offer_remedies(self, offers: Sequence[RemedyOffer], why: str) -> None: ...


class View(Protocol):
    """What the chat needs of the conversation view."""

    def clear(self) -> None: ...
    def add_user_message(
        self,
        message_id: str,
        text: str,
        attachments: Sequence[str],
        *,
        queued: bool = False,
        task: str = "",
        asked: str = "",
    ) -> None: ...
    def remove_message(self, message_id: str) -> None: ...
    def begin_answer(self, answer_id: str, model_label: str) -> None: ...
    def set_answer_media(self, answer_id: str, attachments: Sequence[Attachment]) -> None: ...
    def shown_answer(self, answer_id: str) -> ShownAnswer | None: ...
    def set_status(self, answer_id: str, text: str) -> None: ...
    def append_text(self, answer_id: str, channel: Channel, text: str) -> None: ...
    def finish_answer(self, answer_id: str, reason: FinishReason, stats: Stats | None) -> None: ...
    def fail_answer(self, answer_id: str, message: str, remedy: str, *, can_retry: bool = True) -> None: ...
    def restore_answer(
        self,
        answer_id: str,
        model_label: str,
        text: str,
        thought: str,
        finish_reason: FinishReason | None,
        error: tuple[str, str] | None,
        stats: Stats | None = None,
        *,
        can_retry: bool = True,
    ) -> None: ...
