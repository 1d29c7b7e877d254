"""Keeps the price of the draft up to date: asks the engine, and shows what it says."""

from __future__ import annotations

import itertools
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from desktopapp.conversations import Draft
from desktopapp.engine.price_events import DraftPriced, Planned, Priced
from desktopapp.ui.attachment_intake import AttachmentIntake
from desktopapp.ui.chat import Chat, ChatState
from desktopapp.ui.main_window import MainWindow

_TYPING_DELAY_MS = 250


class DraftPricer(QObject):
    """Prices what stands in the composer together with the conversation before it.

    Args:
        window: with composer and gauge.
        chat: makes the request that would be sent.
        intake: knows which files are still being written.
        parent: of the object.

    Signals:
        price_requested: a `Request` that is not to be run.
    """

    price_requested = Signal(object)

    def __init__(
        self, window: MainWindow, chat: Chat, intake: AttachmentIntake, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._chat = chat
        self._intake = intake
        self._numbers = itertools.count()
        self._asked = ""
        self._running: Planned | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._ask)
        window.composer.edit.textChanged.connect(self._on_typed)
        window.composer.strip.changed.connect(self.ask)
        window.composer.task_changed.connect(self.ask)
        chat.state_changed.connect(self._on_state_changed)
        intake.all_saved.connect(self.ask)

    def ask(self) -> None:
        """Ask again what the draft costs; called when anything changes that it hangs on.

        Many calls in one turn of the event loop, as for each of a hundred files dropped, are one question.
        """
        self._timer.start(0)

    def close(self) -> None:
        """Ask nothing more: the window goes, and with it what would be asked about."""
        self._timer.stop()
        self._timer.blockSignals(True)

    def on_priced(self, event: Priced) -> None:
        """A file that cannot be read no longer counts."""
        if any(price.failed for price in event.prices):
            self.ask()

    def _on_typed(self) -> None:
        if not self._timer.isActive():
            self._timer.start(_TYPING_DELAY_MS)

    def _ask(self) -> None:
        if self._intake.is_saving:
            return
        draft = self._window.composer.draft
        if not draft.attachments and not draft.text.strip():
            self._asked = ""
            self._show(None)
            return
        self._asked = f"draft-{next(self._numbers)}"
        self.price_requested.emit(self._chat.draft_request(self._asked, _usable(self._window, draft)))

    def on_draft_priced(self, event: DraftPriced) -> None:
        """Show the answer to the newest question; older ones are of no use."""
        if event.request_id == self._asked:
            self._show(event.planned)

    def on_planned(self, event: Planned) -> None:
        """Mark the peak of what runs now; that of a load ahead of the first question is no news."""
        if event.request_id:
            self._running = event
            self._mark()

    def _on_state_changed(self, state: ChatState) -> None:
        if state is ChatState.IDLE:
            self._running = None
            self.ask()  # the conversation is longer now

    def _show(self, planned: Planned | None) -> None:
        composer = self._window.composer
        composer.show_planned(planned)
        by_path = {item.path: item for item in planned.attachments} if planned is not None else {}
        for card in composer.strip.cards:
            card.show_planned(by_path.get(card.path))
        self._mark()

    def _mark(self) -> None:
        """What runs goes before what might: its peak is the one that is coming."""
        planned = self._running or self._window.composer.planned
        self._window.status.gauge.show_planned(planned.peak_bytes if planned is not None else None)


def _usable(window: MainWindow, draft: Draft) -> Draft:
    """The draft without files that cannot be sent, so that one bad file does not hide the price of the rest."""
    broken = {card.path for card in window.composer.strip.cards if card.problem}
    return replace(draft, attachments=tuple(path for path in draft.attachments if path not in broken))
