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
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from desktopapp.errors import ConversationsDamaged, ConversationsUnavailable

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    updated_at REAL NOT NULL,
    draft TEXT NOT NULL DEFAULT '{}',
    owner_pid INTEGER,
    owner_started REAL
);
CREATE TABLE message (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE INDEX message_of_conversation ON message (conversation_id, position);
"""
_DAMAGE_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


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


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the composer: text and attached paths, in order, with what was chosen of them."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    selections: dict[str, dict[str, object]] = field(default_factory=dict)


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
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                raise _after_damage(file) from error
            raise ConversationsUnavailable(reason=error) from error
        except OSError as error:
            raise ConversationsUnavailable(reason=error.strerror or error) from error

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
                    "SELECT id, owner_pid, owner_started FROM conversation ORDER BY updated_at DESC"
                )
                for conversation_id, owner_pid, owner_started in rows.fetchall():
                    if not _is_running(owner_pid, owner_started):
                        self._take(conversation_id)
                        return self._load(conversation_id)
                return StoredConversation(self._insert())

    def create(self, leave: str) -> str:
        """Start a conversation owned by this window and return its id.

        Args:
            leave: the conversation that this window gives up; removed where nothing was said in it.
        """
        with _Reported(), self._connection:
            self._connection.execute("UPDATE conversation SET owner_pid = NULL WHERE id = ?", (leave,))
            self._connection.execute(
                "DELETE FROM conversation WHERE id = ?1 AND NOT EXISTS"
                " (SELECT 1 FROM message WHERE conversation_id = ?1)",
                (leave,),
            )
            return self._insert()

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
        """Replace the conversation's draft."""
        body = json.dumps(
            {
                "text": draft.text,
                "attachments": draft.attachments,
                "selections": _kept_selections(draft.selections),
            }
        )
        with _Reported(), self._connection:
            self._connection.execute(
                "UPDATE conversation SET draft = ? WHERE id = ?", (body, conversation_id)
            )
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

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=5.0, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise _damage(str(verdict))
            self._make_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _make_schema(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version == 0 and tables == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif version > _SCHEMA_VERSION:
                raise sqlite3.DatabaseError("they were written by a newer version of this program")
            elif version != _SCHEMA_VERSION:
                raise _damage(f"version {version}")

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
            "UPDATE conversation SET owner_pid = ?, owner_started = ? WHERE id = ?",
            (pid, _start_time(pid), conversation_id),
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


def set_aside(file: Path) -> str:
    """Rename a damaged file with its WAL companions; return the new name, which holds the time."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    kept = file.with_name(f"{file.stem}.damaged-{stamp}-{uuid.uuid4().hex[:4]}{file.suffix}")
    for suffix in ("", "-wal", "-shm"):
        companion = file.with_name(file.name + suffix)
        if companion.exists():
            companion.rename(kept.with_name(kept.name + suffix))
    return kept.name


def _after_damage(file: Path) -> ConversationsDamaged | ConversationsUnavailable:
    try:
        return ConversationsDamaged(file=file.name, kept_as=set_aside(file))
    except OSError as error:  # the folder is read-only, or another window has the file open (Windows)
        return ConversationsUnavailable(reason=error.strerror or error)


def _damage(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # The low byte is the primary result code; https://www.sqlite.org/rescode.html
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE_CODES


def _is_running(pid: int | None, started: float | None) -> bool:
    """True where another process than this one, begun at that time, still runs."""
    if pid is None or started is None or pid == os.getpid():
        return False
    found = _start_time(pid)
    return found is not None and abs(found - started) < 2.0


def _start_time(pid: int) -> float | None:
    """When the process began, in seconds since 1970; None where it does not run."""
    import psutil  # 20 ms that the window's start need not pay

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


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
        )
    except (ValueError, KeyError, TypeError):
        return None


def _kept_selections(selections: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """What may stand on the disk: passwords may not."""
    return {
        path: {name: value for name, value in fields.items() if name != "password"}
        for path, fields in selections.items()
    }


def _to_draft(body: str) -> Draft:
    try:
        values = json.loads(body)
        paths = tuple(str(path) for path in values["attachments"])
        return Draft(str(values["text"]), paths, dict(values.get("selections", {})))
    except (ValueError, KeyError, TypeError):
        return Draft()
