"""What is read out of messages that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from desktopapp.attachment_errors import AttachmentChanged, AttachmentError
from desktopapp.conversations import MessageState, StoredError, StoredMessage
from desktopapp.engine.events import Stats
from desktopapp.engine.request import Mode, Role
from desktopapp.errors import AnswerInterrupted


def stats_of(message: StoredMessage) -> Stats | None:
    """An answer's figures; None where there are none, or another version's."""
    try:
        return msgspec.convert(message.stats, Stats) if message.stats else None
    except msgspec.ValidationError:
        return None


def mode_of(message: StoredMessage) -> Mode | None:
    """Which of a pair gave an answer, or was chosen for one that ended without figures; None where that was not kept."""
    mode = message.stats.get("mode") or message.route.get("mode")
    return Mode(str(mode)) if mode in (Mode.INSTRUCT, Mode.THINKING) else None


def question_of(messages: Mapping[str, StoredMessage], answer_id: str) -> StoredMessage | None:
    """The question right before an answer; None where something else stands there."""
    order = list(messages)
    place = order.index(answer_id) if answer_id in messages else 0
    question = messages[order[place - 1]] if place else None
    return question if question is not None and question.role == Role.USER else None


def as_interrupted(message: StoredMessage) -> StoredMessage:
    """An answer that still ran when the program ended."""
    error = AnswerInterrupted()
    stored = StoredError(error.error, error.message, error.remedy, dict(error.values))
    return replace(message, state=MessageState.FAILED, error=stored)


def can_ask_again(error: StoredError) -> bool:
    """Whether the same question may succeed: not with a file that cannot be used as it is."""
    lasting = {kind.__name__ for kind in AttachmentError.__subclasses__()} - {AttachmentChanged.__name__}
    return error.error not in lasting
