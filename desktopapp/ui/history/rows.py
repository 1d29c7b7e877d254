"""The rows of the list of conversations: one a conversation, under the day of its last change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby

from desktopapp.conversation_history import ConversationSummary


class Period(StrEnum):
    """How long ago a conversation last changed."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A heading or, where `conversation` is set, a conversation under it."""

    period: Period
    conversation: ConversationSummary | None = None


def period_of(updated_at: float, today: date) -> Period:
    """The heading of a conversation.

    Args:
        updated_at: in seconds since 1970.
        today: the local date.
    """
    days = (today - datetime.fromtimestamp(updated_at).date()).days
    if days <= 0:  # a clock that was set back puts changes into the future
        return Period.TODAY
    if days == 1:
        return Period.YESTERDAY
    return Period.WEEK if days <= 7 else Period.MONTH if days <= 30 else Period.EARLIER


def build_rows(conversations: Sequence[ConversationSummary], today: date) -> list[HistoryRow]:
    """Conversations, last changed first, with a heading before each period."""
    rows: list[HistoryRow] = []
    for period, found in groupby(conversations, key=lambda line: period_of(line.updated_at, today)):
        rows.append(HistoryRow(period))
        rows += [HistoryRow(period, conversation) for conversation in found]
    return rows
