"""From a draft to a question that is kept, and from that to a request. No widgets in here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QLocale

from desktopapp.conversations import Draft, MessageState, StoredMessage
from desktopapp.engine.request import ModelChoice, ReasoningLimits, Request, Role, Turn, ZoomLimits
from desktopapp.ui.answer_extras import job_of
from desktopapp.ui.media.task_presets import find_preset
from desktopapp.ui.stored_answers import mode_of


def question_of_draft(draft: Draft, state: MessageState, message_id: str = "") -> StoredMessage:
    """The message that a draft becomes; a task's question is put into the window's language now, and stays so.

    Args:
        draft: what stands in the composer.
        state: queued or sent.
        message_id: of the message; empty makes a new one.
    """
    preset, words = find_preset(draft.task), draft.text.strip()
    return StoredMessage(
        message_id=message_id or uuid.uuid4().hex,
        role=Role.USER,
        text=words,
        state=state,
        attachments=draft.attachments,
        selections=draft.selections,
        task=draft.task if preset is not None else "",
        asked=preset.question(QLocale().name(), words) if preset is not None else "",
    )


def draft_of(question: StoredMessage) -> Draft:
    """The draft that a question was."""
    return Draft(question.text, question.attachments, question.selections, question.task)


def joined_draft(queued: Sequence[StoredMessage], draft: Draft) -> Draft:
    """What was still queued, in front of the draft."""
    texts = [message.text for message in queued] + [draft.text]
    paths = [path for message in queued for path in message.attachments] + list(draft.attachments)
    selections = {path: fields for message in queued for path, fields in message.selections.items()}
    tasks = [message.task for message in queued] + [draft.task]
    return Draft(
        "\n\n".join(text for text in texts if text),
        tuple(dict.fromkeys(paths)),
        selections | draft.selections,
        next((task for task in tasks if task), ""),
    )


def make_request(
    request_id: str,
    choice: ModelChoice,
    turns: tuple[Turn, ...],
    question: StoredMessage,
    earlier: Iterable[StoredMessage] = (),
    reasoning: ReasoningLimits | None = None,
    goes_on: StoredMessage | None = None,
) -> Request:
    """A request as the person's task wants it.

    Args:
        request_id: of the answer.
        choice: of the model.
        turns: of the conversation.
        question: the last of them.
        earlier: what was said before it.
        reasoning: how far Thinking may think.
        goes_on: an answer to the same question whose long job was not finished.
    """
    said = (message for message in earlier if message.text.strip())
    modes = [mode for message in said if (mode := mode_of(message)) is not None]
    request = Request(
        request_id,
        choice,
        turns,
        reasoning=reasoning or ReasoningLimits(),
        previous_mode=modes[-1] if modes else None,
        job=job_of(goes_on) if goes_on is not None else None,
    )
    preset = find_preset(question.task)
    if preset is None:
        return request
    return replace(
        request,
        sampling=preset.sampling,
        least_picture_tokens=preset.least_tokens,
        zoom=ZoomLimits(offered=preset.zooms),
    )
