"""Conversations and drafts on disk: one SQLite file that survives crashes and several windows. Qt-free.

Each open window owns one conversation, so that two windows never write the same one; the claim of a process
that no longer runs is void. The file is in WAL mode: a crash of the program loses nothing that was written.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from desktopapp.conversation_history import ConversationHistory
from desktopapp.conversations_file import open_conversations_file
from desktopapp.errors import ConversationOpenElsewhere, ConversationsUnavailable
from desktopapp.process_identity import is_running_elsewhere, start_time


class MessageState(StrEnum):
    """How far a message is: the person's are queued or sent, an answer runs until it is done or failed."""

    QUEUED = "queued"
    SENT = "sent"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredError:
    """Why an answer failed; see `engine.events.Failed` for the fields."""

    error: str
    message: str
    remedy: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of a conversation.

    Args:
        message_id: unique.
        role: `user` or `assistant`.
        text: of the message, or the answer so far.
        state: how far it is.
        thought: of an answer.
        attachments: absolute paths.
        selections: for paths of which not all is taken, the fields of `engine.media.selection.MediaSelection`.
        model_label: the model that answered, for people.
        finish_reason: a value of `engine.events.FinishReason`, or empty.
        error: why it failed.
        stats: figures of an answer, the fields of `engine.events.Stats`, or empty.
        route: which model of a pair was chosen and why, the fields of `engine.reasoning_events.Routed`, or empty.
        task: key of the task that a question was asked as, or empty.
        asked: what the model was asked where that is more than `text`, or empty.
        zooms: where the model looked closer, each the fields of `engine.media_events.ZoomedIn`.
        job: how far a long job is, the fields of `engine.request.JobSoFar`, or empty.
    """

    message_id: str
    role: str
    text: str
    state: MessageState
    thought: str = ""
    attachments: tuple[str, ...] = ()
    selections: dict[str, dict[str, object]] = field(default_factory=dict)
    model_label: str = ""
    finish_reason: str = ""
    error: StoredError | None = None
    stats: dict[str, object] = field(default_factory=dict)
    route: dict[str, object] = field(default_factory=dict)
    task: str = ""
    asked: str = ""
    zooms: tuple[dict[str, object], ...] = ()
    job: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the composer: text and attached paths, in order, with what was chosen of them, and a task's key."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    selections: dict[str, dict[str, object]] = field(default_factory=dict)
    task: str = ""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation as it was left."""

    conversation_id: str
    messages: tuple[StoredMessage, ...] = ()
    draft: Draft = Draft()


class ConversationStore:
    """The open file. May be used from any thread, but from one at a time.

    Args:
        file: the SQLite file; made where it is missing.

    Raises:
        ConversationsDamaged: the file is no database of ours. It was moved aside; opening again makes a new one.
        ConversationsUnavailable: the file cannot be opened or made.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection = open_conversations_file(file)

    def close(self) -> None:
        """Give up this process's claims and close the file."""
        with contextlib.suppress(sqlite3.Error), self._connection:
            self._connection.execute(
                "UPDATE conversation SET owner_pid = NULL WHERE owner_pid = ?", (os.getpid(),)
            )
        self._connection.close()

    def claim(self) -> StoredConversation:
        """The conversation used last that no other running window owns, else a new one; now this window's.

        Raises:
            ConversationsUnavailable: it cannot be read.
        """
        with _Reported():
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                rows = self._connection.execute(
                    "SELECT id, owner_pid, owner_started FROM conversation WHERE NOT is_deleted"
                    " ORDER BY updated_at DESC"
                )
                for conversation_id, owner_pid, owner_started in rows.fetchall():
                    if not is_running_elsewhere(owner_pid, owner_started):
                        self._take(conversation_id)
                        return self._load(conversation_id)
                return StoredConversation(self._insert())

    def create(self, leave: str) -> str:
        """Start a conversation owned by this window and return its id.

        Args:
            leave: the conversation that this window gives up with its draft; removed where nothing was said in it.
        """
        with _Reported(), self._connection:
            self._leave(leave, draft_stays=False)
            self._connection.execute("UPDATE conversation SET draft = '{}' WHERE id = ?", (leave,))
            return self._insert()

    def switch(self, leave: str, to: str) -> StoredConversation:
        """Show another conversation, which becomes this window's.

        Args:
            leave: the conversation that this window gives up; removed where it is empty and has no draft.
            to: id of the other.

        Raises:
            ConversationOpenElsewhere: another window shows it; nothing was changed.
            ConversationsUnavailable: it cannot be read, or is there no more.
        """
        with _Reported():
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                row = self._connection.execute(
                    "SELECT owner_pid, owner_started FROM conversation WHERE id = ?", (to,)
                ).fetchone()
                if row is None:
                    raise ConversationsUnavailable(reason="it was deleted")
                if is_running_elsewhere(*row):
                    raise ConversationOpenElsewhere
                if leave != to:
                    self._leave(leave, draft_stays=True)
                self._take(to)
                return self._load(to)

    @contextlib.contextmanager
    def history(self) -> Iterator[ConversationHistory]:
        """The list of all conversations.

        Raises:
            ConversationsUnavailable: it cannot be read or written.
        """
        with _Reported():
            yield ConversationHistory(self._connection)

    def save_message(self, conversation_id: str, message: StoredMessage) -> None:
        """Add a message at the end, or replace the one with its id in its place."""
        body = json.dumps(_to_body(message))
        with _Reported(), self._connection:
            self._connection.execute(
                "INSERT INTO message (id, conversation_id, body) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (message.message_id, conversation_id, body),
            )
            self._touch(conversation_id)

    def remove_message(self, message_id: str) -> None:
        """Forget a message."""
        with _Reported(), self._connection:
            self._connection.execute("DELETE FROM message WHERE id = ?", (message_id,))

    def save_draft(self, conversation_id: str, draft: Draft) -> None:
        """Replace the conversation's draft; one that is there already leaves its place in the list."""
        body = _draft_body(draft)
        with _Reported(), self._connection:
            changed = self._connection.execute(
                "UPDATE conversation SET draft = ?1 WHERE id = ?2 AND draft != ?1"
                " AND NOT (draft = '{}' AND ?1 = ?3)",  # a draft that was never saved is empty as well
                (body, conversation_id, _draft_body(Draft())),
            )
            if changed.rowcount:
                self._touch(conversation_id)

    @property
    def has_damaged_sibling(self) -> bool:
        """Whether a damaged file was set aside once, and may be mended by hand some day."""
        return any(self._file.parent.glob(f"{self._file.stem}.damaged-*"))

    def attached_paths(self) -> frozenset[str]:
        """Every file that a message or a draft of any conversation names.

        Raises:
            ConversationsUnavailable: they cannot be read.
        """
        with _Reported():
            bodies = self._connection.execute("SELECT body FROM message").fetchall()
            drafts = self._connection.execute("SELECT draft FROM conversation").fetchall()
        messages = (_from_body(body) for (body,) in bodies)
        kept = [message.attachments for message in messages if message is not None]
        kept += [_to_draft(draft).attachments for (draft,) in drafts]
        return frozenset(path for paths in kept for path in paths)

    def _leave(self, conversation_id: str, *, draft_stays: bool) -> None:
        """Give a conversation up; remove it where nothing was said in it and no draft stays in it."""
        self._connection.execute("UPDATE conversation SET owner_pid = NULL WHERE id = ?", (conversation_id,))
        self._connection.execute(
            "DELETE FROM conversation WHERE id = ?1 AND (?2 OR draft IN ('{}', ?3)) AND NOT EXISTS"
            " (SELECT 1 FROM message WHERE conversation_id = ?1)",
            (conversation_id, not draft_stays, _draft_body(Draft())),
        )

    def _insert(self) -> str:
        conversation_id = uuid.uuid4().hex
        self._connection.execute(
            "INSERT INTO conversation (id, updated_at) VALUES (?, ?)", (conversation_id, time.time())
        )
        self._take(conversation_id)
        return conversation_id

    def _take(self, conversation_id: str) -> None:
        pid = os.getpid()
        self._connection.execute(
            "UPDATE conversation SET owner_pid = ?, owner_started = ?, is_deleted = 0 WHERE id = ?",
            (pid, start_time(pid), conversation_id),
        )

    def _touch(self, conversation_id: str) -> None:
        self._connection.execute(
            "UPDATE conversation SET updated_at = ? WHERE id = ?", (time.time(), conversation_id)
        )

    def _load(self, conversation_id: str) -> StoredConversation:
        (draft,) = self._connection.execute(
            "SELECT draft FROM conversation WHERE id = ?", (conversation_id,)
        ).fetchone()
        bodies = self._connection.execute(
            "SELECT body FROM message WHERE conversation_id = ? ORDER BY position", (conversation_id,)
        ).fetchall()
        messages = tuple(message for (body,) in bodies if (message := _from_body(body)) is not None)
        return StoredConversation(conversation_id, messages, _to_draft(draft))


class _Reported:
    """Turns SQLite's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise ConversationsUnavailable(reason=error) from error


def _to_body(message: StoredMessage) -> dict[str, object]:
    error = message.error
    return {
        "role": message.role,
        "text": message.text,
        "state": message.state,
        "thought": message.thought,
        "attachments": message.attachments,
        "selections": _kept_selections(message.selections),
        "model_label": message.model_label,
        "finish_reason": message.finish_reason,
        "error": error and [error.error, error.message, error.remedy, error.values],
        "stats": message.stats,
        "route": message.route,
        "task": message.task,
        "asked": message.asked,
        "zooms": message.zooms,
        "job": message.job,
        "id": message.message_id,
    }


def _from_body(body: str) -> StoredMessage | None:
    """A message, or None where the row is not one (a hand edited it)."""
    try:
        values = json.loads(body)
        return StoredMessage(
            message_id=str(values["id"]),
            role=str(values["role"]),
            text=str(values["text"]),
            state=MessageState(values["state"]),
            thought=str(values["thought"]),
            attachments=tuple(str(path) for path in values["attachments"]),
            selections=dict(values.get("selections", {})),
            model_label=str(values["model_label"]),
            finish_reason=str(values["finish_reason"]),
            error=StoredError(*values["error"]) if values["error"] else None,
            stats=dict(values.get("stats") or {}),
            route=dict(values.get("route") or {}),
            task=str(values.get("task", "")),
            asked=str(values.get("asked", "")),
            zooms=tuple(dict(zoom) for zoom in values.get("zooms", ())),
            job=dict(values.get("job") or {}),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _kept_selections(selections: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """What may stand on the disk: passwords may not."""
    return {
        path: {name: value for name, value in fields.items() if name != "password"}
        for path, fields in selections.items()
    }


def _draft_body(draft: Draft) -> str:
    return json.dumps(
        {
            "text": draft.text,
            "attachments": draft.attachments,
            "selections": _kept_selections(draft.selections),
            "task": draft.task,
        }
    )


def _to_draft(body: str) -> Draft:
    try:
        values = json.loads(body)
        paths = tuple(str(path) for path in values["attachments"])
        return Draft(
            str(values["text"]), paths, dict(values.get("selections", {})), str(values.get("task", ""))
        )
    except (ValueError, KeyError, TypeError):
        return Draft()
