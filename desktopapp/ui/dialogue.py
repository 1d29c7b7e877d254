"""Which part of a conversation the model sees. No Qt in here.

A conversation that people have is untidy: answers fail, are stopped before they begin, pictures vanish from the
disk. A model wants the person and the assistant in turns. So, of what was said before a question:

- a question counts together with its answer, and only where the answer has text, whatever ended it;
- a question without such an answer is left out: sent again, it would fail again with each later question
  (a picture that does not fit), and two questions in a row would break the turns;
- thoughts are left out, as the model's own template does;
- pictures that are gone from the disk, or were refused, are left out of earlier turns only. Those of the question
  itself stay, so that the engine names the one that is at fault.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktopapp.conversations import StoredMessage
from desktopapp.engine.request import Attachment, Role, Turn
from desktopapp.ui.media.selections import to_selection


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What goes into a request.

    Args:
        turns: oldest first; the last is the question.
        left_out: attachments of earlier turns that do not go along.
    """

    turns: tuple[Turn, ...]
    left_out: tuple[str, ...] = ()


def build_dialogue(
    messages: Iterable[StoredMessage], question: StoredMessage, refused: Collection[str] = ()
) -> Dialogue:
    """Make the turns of a request.

    Args:
        messages: everything before the question, oldest first.
        question: the person's message that is to be answered.
        refused: paths that the engine refused before.
    """
    turns: list[Turn] = []
    left_out: list[str] = []
    for asked, answered in _answered_pairs(list(messages)):
        usable = [path for path in asked.attachments if path not in refused and _exists(path)]
        left_out.extend(path for path in asked.attachments if path not in usable)
        turns.append(_user_turn(asked, usable))
        turns.append(Turn(Role.ASSISTANT, answered.text))
    turns.append(_user_turn(question, question.attachments))
    return Dialogue(tuple(turns), tuple(dict.fromkeys(left_out)))


def attachments_of(turns: Iterable[Turn]) -> tuple[Attachment, ...]:
    """All files of a request, in the order in which the model counts its pictures."""
    return tuple(attachment for turn in turns for attachment in turn.attachments)


def attachments_said(messages: Iterable[StoredMessage]) -> tuple[Attachment, ...]:
    """Likewise of messages that were asked before."""
    return attachments_of(_user_turn(one, one.attachments) for one in messages if one.role == Role.USER)


def _answered_pairs(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage]]:
    pairs = []
    for first, second in itertools.pairwise(messages):
        if first.role == Role.USER and second.role == Role.ASSISTANT and second.text.strip():
            pairs.append((first, second))
    return pairs


def _user_turn(message: StoredMessage, paths: Iterable[str]) -> Turn:
    attachments = (Attachment(path, to_selection(message.selections.get(path))) for path in paths)
    return Turn(Role.USER, message.asked or message.text, tuple(attachments))


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
