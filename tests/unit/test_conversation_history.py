"""The list of conversations: titles, search, rename, delete and take back, switching, files of version 1."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from desktopapp.conversation_history import ConversationSummary
from desktopapp.conversations import ConversationStore, Draft, MessageState, StoredMessage
from desktopapp.conversations_file import open_conversations_file
from desktopapp.errors import ConversationOpenElsewhere, ConversationsUnavailable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite3"


def _say(store: ConversationStore, conversation_id: str, name: str, text: str, path: str = "") -> None:
    attachments = (path,) if path else ()
    store.save_message(
        conversation_id, StoredMessage(name, "user", text, MessageState.SENT, attachments=attachments)
    )


def _find(store: ConversationStore, words: str = "") -> list[ConversationSummary]:
    with store.history() as history:
        return history.find(words)


def _two(store: ConversationStore) -> tuple[str, str]:
    first = store.claim().conversation_id
    _say(store, first, "m1", "What is\n on the receipt?")
    _say(store, first, "m2", "And 50%_off?")
    second = store.create(leave=first)
    _say(store, second, "m3", "", "/home/me/图 1.png")
    return first, second


def test_titles_are_the_first_words_or_the_first_file(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    assert [(line.conversation_id, line.title) for line in _find(store)] == [
        (second, "图 1.png"),
        (first, "What is on the receipt?"),
    ]
    with store.history() as history:
        history.rename(first, " Groceries \n May")
    assert _find(store)[1].title == "Groceries May"
    with store.history() as history:
        history.rename(first, "")
    assert _find(store)[1].title == "What is on the receipt?"
    store.close()


@pytest.mark.parametrize(
    ("words", "count"), [("RECEIPT", 1), ("50%_off", 1), ("5_%", 0), ("100%", 0), ("\\", 0), ("  ", 2)]
)
def test_search_looks_into_every_message(file: Path, words: str, count: int) -> None:
    store = ConversationStore(file)
    _two(store)
    assert len(_find(store, words)) == count
    store.close()


def test_a_row_that_is_no_json_does_not_hide_the_others(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    store.close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE message SET body = '{oops' WHERE id = 'm1'")
    connection.close()
    store = ConversationStore(file)
    assert [line.conversation_id for line in _find(store)] == [second]
    assert [line.conversation_id for line in _find(store, "off")] == []
    assert store.switch(second, first).messages[0].message_id == "m2"
    store.close()


def test_deleted_conversations_come_back_until_they_are_purged(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    with store.history() as history:
        history.delete(first)
    assert [line.conversation_id for line in _find(store)] == [second]
    with store.history() as history:
        history.take_back(first)
    assert len(_find(store)) == 2
    with store.history() as history:
        history.delete(first)
        history.purge()
        history.take_back(first)
    assert [line.conversation_id for line in _find(store)] == [second]
    with pytest.raises(ConversationsUnavailable):
        store.switch(second, first)
    store.close()


def test_the_next_start_does_not_show_a_deleted_conversation(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    with store.history() as history:
        history.delete(second)
    store.close()
    store = ConversationStore(file)
    assert store.claim().conversation_id == first
    store.close()


def test_switching_brings_messages_and_draft_and_leaves_nothing_empty_behind(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    store.save_draft(first, Draft("half a question"))
    found = store.switch(second, first)
    assert [message.message_id for message in found.messages] == ["m1", "m2"]
    assert found.draft.text == "half a question"
    empty = store.create(leave=first)
    store.switch(empty, first)
    assert {line.conversation_id for line in _find(store)} == {first, second}
    drafted = store.create(leave=first)
    store.save_draft(drafted, Draft("not sent"))
    store.switch(drafted, first)
    assert _find(store)[0].title == "not sent"
    store.close()


def test_opening_a_deleted_conversation_takes_it_back(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    with store.history() as history:
        history.delete(first)
    store.switch(second, first)
    with store.history() as history:
        history.purge()
    assert len(_find(store)) == 2
    store.close()


def test_a_draft_goes_along_into_a_new_conversation(file: Path) -> None:
    store = ConversationStore(file)
    first, _second = _two(store)
    store.save_draft(first, Draft("taken along"))
    new = store.create(leave=first)
    assert store.switch(new, first).draft == Draft()
    store.close()


def test_looking_at_an_old_conversation_leaves_its_place_in_the_list(file: Path) -> None:
    store = ConversationStore(file)
    first, second = _two(store)
    before = _find(store)
    store.save_draft(store.switch(second, first).conversation_id, Draft())
    assert _find(store) == before
    store.close()


def test_a_conversation_of_another_window_is_not_taken_from_it(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from desktopapp.conversations import *\n"
        "store = ConversationStore(Path(sys.argv[1])); c = store.claim().conversation_id\n"
        "store.save_message(c, StoredMessage('q', 'user', 'theirs', MessageState.SENT))\n"
        "print(c, flush=True); sys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        store = ConversationStore(file)
        mine = store.claim().conversation_id
        _say(store, mine, "m", "mine")
        assert {(line.title, line.is_open_elsewhere) for line in _find(store)} == {
            ("mine", False),
            ("theirs", True),
        }
        with pytest.raises(ConversationOpenElsewhere):
            store.switch(mine, theirs)
        with pytest.raises(ConversationOpenElsewhere), store.history() as history:
            history.delete(theirs)
        other.communicate("\n")
    assert store.switch(mine, theirs).messages[0].text == "theirs"
    store.close()


def test_a_file_of_version_1_is_brought_up_to_date(file: Path) -> None:
    connection = open_conversations_file(file)
    with connection:
        for column in ("title", "is_deleted"):
            connection.execute(f"ALTER TABLE conversation DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO conversation (id, updated_at) VALUES ('old', 1.0)")
        connection.execute(
            "INSERT INTO message (id, conversation_id, body)"
            """ VALUES ('m', 'old', '{"text": "kept", "attachments": []}')"""
        )
    connection.close()
    store = ConversationStore(file)
    assert [line.title for line in _find(store)] == ["kept"]
    store.close()
