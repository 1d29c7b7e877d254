"""What the tests of the conversation view share."""

from __future__ import annotations

from desktopapp.engine.events import Channel, FinishReason, Stats
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.conversation.answer import AnswerMessage
from desktopapp.ui.conversation.user_message import UserMessage

STATS = Stats("fake", "named", "Qwen3-VL 4B", "thinking", 1200, 300, 250, 0.42, 38.25, 2 * 2**30)


def answer(view: ConversationView, message_id: str = "a") -> AnswerMessage:
    """The widget of an answer."""
    found = view.message(message_id)
    assert isinstance(found, AnswerMessage)
    return found


def user_message(view: ConversationView, message_id: str = "u") -> UserMessage:
    """The widget of a message of the person's."""
    found = view.message(message_id)
    assert isinstance(found, UserMessage)
    return found


def show_answer(view: ConversationView, text: str, message_id: str = "a") -> AnswerMessage:
    """Stream a whole answer and lay it out."""
    view.begin_answer(message_id, "Qwen3-VL 4B")
    view.append_text(message_id, Channel.ANSWER, text)
    view.finish_answer(message_id, FinishReason.STOP, STATS)
    view.flush()
    return answer(view, message_id)
