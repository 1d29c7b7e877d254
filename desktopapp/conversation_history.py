"""The list of earlier conversations in the conversations file: find, name, delete, take back. Qt-free."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import PurePath

from desktopapp.errors import ConversationOpenElsewhere
from desktopapp.process_identity import is_running_elsewhere

# A row that a hand edited may hold no JSON; json_extract would fail the whole query over it.
_TEXT = "CASE WHEN json_valid({body}) THEN coalesce(json_extract({body}, '$.text'), '') ELSE '' END"
_PATH = "CASE WHEN json_valid({body}) THEN coalesce(json_extract({body}, '$.attachments[0]'), '') ELSE '' END"
_BEGUN = "coalesce(first.body, draft)"  # nothing was said yet in one that has a draft only
_LIST = f"""
SELECT conversation.id, title, updated_at, owner_pid, owner_started,
    substr({_TEXT.format(body=_BEGUN)}, 1, 200) AS words, {_PATH.format(body=_BEGUN)} AS path
FROM conversation LEFT JOIN message AS first ON first.position =
    (SELECT min(position) FROM message WHERE conversation_id = conversation.id)
WHERE NOT is_deleted AND (words != '' OR path != '') AND (:pattern = '%%'
    OR title LIKE :pattern ESCAPE '\\' OR words LIKE :pattern ESCAPE '\\' OR EXISTS
    (SELECT 1 FROM message AS said WHERE said.conversation_id = conversation.id
     AND {_TEXT.format(body="said.body")} LIKE :pattern ESCAPE '\\'))
ORDER BY updated_at DESC
"""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One line of the list.

    Args:
        conversation_id: of the conversation.
        title: the person's, else its first words, else the name of the first file; one line.
        updated_at: when it last changed, in seconds since 1970.
        is_open_elsewhere: another window of the program shows it now.
    """

    conversation_id: str
    title: str
    updated_at: float
    is_open_elsewhere: bool


class ConversationHistory:
    """What was said in all conversations of a file; empty ones are left out.

    Args:
        connection: to the file of `conversations.ConversationStore`, which reports SQLite's errors.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, words: str = "") -> list[ConversationSummary]:
        """The conversations whose title or messages contain the words; all for none. Last changed first."""
        rows = self._connection.execute(_LIST, {"pattern": f"%{_escaped(words.strip())}%"})
        return [
            ConversationSummary(
                conversation_id,
                _one_line(title or text or PurePath(path).name),
                updated_at,
                is_running_elsewhere(owner_pid, owner_started),
            )
            for conversation_id, title, updated_at, owner_pid, owner_started, text, path in rows.fetchall()
        ]

    def rename(self, conversation_id: str, title: str) -> None:
        """Name a conversation; an empty title brings its first words back."""
        self._execute("UPDATE conversation SET title = ? WHERE id = ?", (_one_line(title), conversation_id))

    def delete(self, conversation_id: str) -> None:
        """Take a conversation off the list; `take_back` restores it until `purge`.

        Raises:
            ConversationOpenElsewhere: another window shows it.
        """
        owner = self._connection.execute(
            "SELECT owner_pid, owner_started FROM conversation WHERE id = ?", (conversation_id,)
        ).fetchone()
        if owner is not None and is_running_elsewhere(*owner):
            raise ConversationOpenElsewhere
        self._execute("UPDATE conversation SET is_deleted = 1 WHERE id = ?", (conversation_id,))

    def take_back(self, conversation_id: str) -> None:
        """Undo `delete`."""
        self._execute("UPDATE conversation SET is_deleted = 0 WHERE id = ?", (conversation_id,))

    def purge(self) -> None:
        """Remove for good what was deleted."""
        self._execute("DELETE FROM conversation WHERE is_deleted", ())

    def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        with self._connection:
            self._connection.execute(statement, values)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(words: str) -> str:
    """For LIKE with backslash as its escape character."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
