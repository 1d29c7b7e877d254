"""The conversations file: what was said comes back, also after damage, a crash, and with two windows."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktopapp.conversations import (
    ConversationStore,
    Draft,
    MessageState,
    StoredError,
    StoredMessage,
)
from desktopapp.errors import ConversationsDamaged, ConversationsUnavailable

QUESTION = StoredMessage("q", "user", "What is this?", MessageState.SENT, attachments=("/a b.png", "/图.png"))
ANSWER = StoredMessage("a", "assistant", "A cat", MessageState.RUNNING, thought="hm", model_label="tiny")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "user" / "conversations.sqlite3"


def test_messages_and_draft_come_back_in_order(file: Path) -> None:
    store = ConversationStore(file)
    conversation_id = store.claim().conversation_id
    store.save_message(conversation_id, QUESTION)
    store.save_message(conversation_id, ANSWER)
    failed = StoredMessage(
        "a",
        "assistant",
        "A cat sat",
        MessageState.FAILED,
        error=StoredError("EngineDied", "m", "r", {"what": "x"}),
    )
    store.save_message(conversation_id, failed)
    store.save_draft(conversation_id, Draft("and now", ("/b.png",)))
    store.close()
    store = ConversationStore(file)
    found = store.claim()
    store.close()
    assert found.conversation_id == conversation_id
    assert found.messages == (QUESTION, failed)
    assert found.draft == Draft("and now", ("/b.png",))


def test_what_was_written_survives_a_process_that_is_killed(file: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from desktopapp.conversations import *\n"
        "store = ConversationStore(Path(sys.argv[1])); c = store.claim().conversation_id\n"
        "store.save_message(c, StoredMessage('q', 'user', 'half', MessageState.RUNNING))\n"
        "os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 9
    store = ConversationStore(file)
    assert [message.text for message in store.claim().messages] == ["half"]
    store.close()


def test_a_second_window_gets_a_conversation_of_its_own(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from desktopapp.conversations import *\n"
        "store = ConversationStore(Path(sys.argv[1])); c = store.claim().conversation_id\n"
        "store.save_message(c, StoredMessage('q', 'user', 'theirs', MessageState.SENT))\n"
        "print(c, flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    theirs = other.stdout.readline().strip()
    store = ConversationStore(file)
    ours = store.claim()
    assert ours.conversation_id != theirs
    assert ours.messages == ()
    store.save_message(ours.conversation_id, StoredMessage("p", "user", "ours", MessageState.SENT))
    other.communicate("\n", timeout=60)
    store.close()
    store = ConversationStore(file)
    assert [message.text for message in store.claim().messages] == ["ours"]
    store.close()


def test_claim_of_a_reused_process_number_is_void(file: Path) -> None:
    store = ConversationStore(file)
    conversation_id = store.claim().conversation_id
    store.save_message(conversation_id, QUESTION)
    store.close()
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE conversation SET owner_pid = 1, owner_started = 5.0")
    connection.close()
    store = ConversationStore(file)
    assert store.claim().conversation_id == conversation_id
    store.close()


def test_new_conversation_leaves_the_old_one_on_disk_but_drops_an_empty_one(file: Path) -> None:
    store = ConversationStore(file)
    first = store.claim().conversation_id
    store.save_message(first, QUESTION)
    second = store.create(leave=first)
    third = store.create(leave=second)
    store.close()
    connection = sqlite3.connect(file)
    found = {row[0] for row in connection.execute("SELECT id FROM conversation")}
    connection.close()
    assert found == {first, third}


def test_removed_message_is_gone(file: Path) -> None:
    store = ConversationStore(file)
    conversation_id = store.claim().conversation_id
    store.save_message(conversation_id, QUESTION)
    store.remove_message("q")
    store.close()
    store = ConversationStore(file)
    assert store.claim().messages == ()
    store.close()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_damaged_file_is_set_aside_and_said(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(ConversationsDamaged) as raised:
        ConversationStore(file)
    assert (file.parent / raised.value.values["kept_as"]).read_bytes() == content
    store = ConversationStore(file)
    assert store.claim().messages == ()
    store.close()


def test_file_cut_in_the_middle_is_set_aside(file: Path) -> None:
    store = ConversationStore(file)
    conversation_id = store.claim().conversation_id
    for number in range(200):
        store.save_message(conversation_id, StoredMessage(f"m{number}", "user", "x" * 500, MessageState.SENT))
    store.close()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConversationsDamaged):
        ConversationStore(file)
    assert not file.exists()


def test_database_of_a_newer_version_is_kept_and_not_touched(file: Path) -> None:
    file.parent.mkdir()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("CREATE TABLE future (x)")
    connection.close()
    with pytest.raises(ConversationsUnavailable, match="newer version"):
        ConversationStore(file)
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("future",)]
    connection.close()


def test_a_damaged_file_that_cannot_be_set_aside_is_no_crash(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database" * 100)

    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ConversationsUnavailable, match="Permission denied"):
        ConversationStore(file)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConversationsUnavailable):
        ConversationStore(tmp_path / "file" / "conversations.sqlite3")


def test_one_unreadable_row_does_not_cost_the_others(file: Path) -> None:
    store = ConversationStore(file)
    conversation_id = store.claim().conversation_id
    store.save_message(conversation_id, QUESTION)
    store.save_message(conversation_id, ANSWER)
    store.close()
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE message SET body = '{' WHERE id = 'a'")
        connection.execute("UPDATE conversation SET draft = 'no json'")
    connection.close()
    store = ConversationStore(file)
    found = store.claim()
    store.close()
    assert found.messages == (QUESTION,)
    assert found.draft == Draft()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(text=st.text())
def test_any_text_comes_back(tmp_path: Path, text: str) -> None:
    store = ConversationStore(tmp_path / "c.sqlite3")
    conversation_id = store.create(leave="")
    store.save_message(conversation_id, StoredMessage("m", "user", text, MessageState.SENT))
    store.save_draft(conversation_id, Draft(text))
    found = store.claim()
    store.remove_message("m")
    store.close()
    assert found.messages[0].text == text
    assert found.draft.text == text
