"""Writes the conversation in a thread of its own, in the order of the calls."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktopapp.conversation_history import ConversationHistory
from desktopapp.conversations import ConversationStore, Draft, StoredConversation, StoredMessage
from desktopapp.errors import AppError
from desktopapp.ui.pasted_pictures import remove_unused


class ConversationSaver(QObject):
    """The store behind one writing thread: a slow disk, or a second window's lock, never stops the window.

    Signals:
        failed: something could not be saved; carries the `AppError`. Emitted once until a write succeeds again.
        switched: the `StoredConversation` to show now.
        listed: the words that were looked for, and the `ConversationSummary` of each conversation that has them.
    """

    failed = Signal(object)
    switched = Signal(object)
    listed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store: ConversationStore | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="conversation-saver")
        self._conversation_id = ""
        self._is_failing = False

    def open(self, store: ConversationStore) -> None:
        """Write to this store; before that nothing is kept."""
        self._store = store

    def claim(self) -> StoredConversation:
        """The conversation to show; an empty one where nothing can be read."""
        if self._store is None:
            return StoredConversation("")
        try:
            found = self._store.claim()
        except AppError as error:
            self._report(error)
            return StoredConversation("")
        self._conversation_id = found.conversation_id
        return found

    @property
    def conversation_id(self) -> str:
        """The conversation that is written to, as far as what was submitted is done; empty for none."""
        return self._conversation_id

    def begin_new(self) -> None:
        """Leave this conversation and write to a fresh one from here on."""

        def work(store: ConversationStore) -> None:
            self._conversation_id = store.create(leave=self._conversation_id)

        self._submit(work)

    def switch(self, conversation_id: str) -> None:
        """Leave this conversation and go on with another; where that fails, with this one."""

        def work(store: ConversationStore) -> None:
            try:
                found = store.switch(self._conversation_id, conversation_id)
            except AppError as error:
                self.failed.emit(error)
                found = self._reread(store)
            self._conversation_id = found.conversation_id
            self.switched.emit(found)

        self._submit(work)

    def _reread(self, store: ConversationStore) -> StoredConversation:
        """This conversation again; an empty one of its id where the disk fails altogether."""
        try:
            return store.switch(self._conversation_id, self._conversation_id)
        except AppError:
            return StoredConversation(self._conversation_id)

    def find(self, words: str) -> None:
        """List the conversations that contain the words; all for none."""

        def work(store: ConversationStore) -> None:
            with store.history() as history:
                self.listed.emit(words, history.find(words))

        self._submit(work)

    def change_history(self, change: Callable[[ConversationHistory], None]) -> None:
        """Rename, delete or take back conversations."""

        def work(store: ConversationStore) -> None:
            with store.history() as history:
                change(history)

        self._submit(work)

    def save_message(self, message: StoredMessage) -> None:
        """Add or replace a message."""
        self._submit(lambda store: store.save_message(self._conversation_id, message))

    def move_to_end(self, message: StoredMessage) -> None:
        """Save a message as the last one, wherever it stood."""

        def work(store: ConversationStore) -> None:
            store.remove_message(message.message_id)
            store.save_message(self._conversation_id, message)

        self._submit(work)

    def remove_message(self, message_id: str) -> None:
        """Forget a message."""
        self._submit(lambda store: store.remove_message(message_id))

    def save_draft(self, draft: Draft) -> None:
        """Replace the draft."""
        self._submit(lambda store: store.save_draft(self._conversation_id, draft))

    def clean_pasted(self, folder: Path) -> None:
        """Remove pasted pictures that no conversation and no draft shows any more."""

        def work(store: ConversationStore) -> None:
            if not store.has_damaged_sibling:
                remove_unused(folder, store.attached_paths())

        self._submit(work)

    def close(self) -> None:
        """Write what is left and close the file; what comes later is not kept."""
        store, self._store = self._store, None
        self._writer.shutdown(wait=True)
        if store is not None:
            with suppress(AppError), store.history() as history:
                history.purge()
            store.close()

    def _submit(self, work: Callable[[ConversationStore], None]) -> None:
        # `_conversation_id` is written by the writing thread alone once work is submitted.
        store = self._store
        if store is not None:
            self._writer.submit(self._run, store, work)

    def _run(self, store: ConversationStore, work: Callable[[ConversationStore], None]) -> None:
        try:
            work(store)
        except AppError as error:
            self._report(error)
        except Exception:  # noqa: BLE001 - a defect; the executor would keep it to itself
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        else:
            self._is_failing = False

    def _report(self, error: AppError) -> None:
        if not self._is_failing:
            self._is_failing = True
            self.failed.emit(error)
