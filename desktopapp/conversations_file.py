"""The SQLite file of the conversations: opened, brought up to date, set aside where it is damaged. Qt-free."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from desktopapp.errors import ConversationsDamaged, ConversationsUnavailable

_SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    updated_at REAL NOT NULL,
    draft TEXT NOT NULL DEFAULT '{}',
    owner_pid INTEGER,
    owner_started REAL,
    title TEXT NOT NULL DEFAULT '',
    is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE INDEX message_of_conversation ON message (conversation_id, position);
"""
_FROM_VERSION_1 = (
    "ALTER TABLE conversation ADD COLUMN title TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE conversation ADD COLUMN is_deleted INTEGER NOT NULL DEFAULT 0",
)
_DAMAGE_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def open_conversations_file(file: Path) -> sqlite3.Connection:
    """Open the file in WAL mode; make it where it is missing. May be used from any thread, one at a time.

    Raises:
        ConversationsDamaged: the file is no database of ours. It was moved aside; opening again makes a new one.
        ConversationsUnavailable: the file cannot be opened or made.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _connect(file)
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise _after_damage(file) from error
        raise ConversationsUnavailable(reason=error) from error
    except OSError as error:
        raise ConversationsUnavailable(reason=error.strerror or error) from error


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


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=5.0, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _damage(str(verdict))
        _make_schema(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_schema(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0 and tables == 0:
            statements: Sequence[str] = _SCHEMA.split(";")
        elif version == 1:
            statements = _FROM_VERSION_1
        elif version == _SCHEMA_VERSION:
            return
        elif version > _SCHEMA_VERSION:
            raise sqlite3.DatabaseError("they were written by a newer version of this program")
        else:
            raise _damage(f"version {version}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
