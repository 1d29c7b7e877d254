"""The way from the Send button into the conversation: waits for what is not attached yet, holds back what cannot be used."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktopapp.conversations import Draft
from desktopapp.ui.attachment_intake import AttachmentIntake
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.ui.wording import file_label

_TOPIC = "attachment"


class DraftSender(QObject):
    """Sends for one window.

    Args:
        window: with the composer, and the notices that say why nothing was sent.
        intake: knows which files are still written or looked for.
        parent: as always.

    Signals:
        accepted: a `Draft` to be asked; the composer is empty again.
    """

    accepted = Signal(object)

    def __init__(self, window: MainWindow, intake: AttachmentIntake, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._intake = intake
        self._is_waiting = False
        composer = window.composer
        composer.sent.connect(self.send)
        composer.strip.changed.connect(self._on_attachments_changed)
        composer.reading.cancelled.connect(self._on_reading_cancelled)
        intake.reading_changed.connect(self._on_reading_changed)
        intake.all_saved.connect(self._on_attached)
        intake.listed.connect(self._on_listed)

    def send(self, draft: Draft) -> None:
        """Send the draft, or as soon as everything that was dropped is in it."""
        if self._intake.is_saving or self._intake.being_read:
            self._is_waiting = True
            if self._intake.being_read:
                self._window.composer.reading.show_awaited()
            return
        strip = self._window.composer.strip
        broken = next((card.path for card in strip.cards if card.problem), None)
        if broken is not None:
            strip.reveal(broken)
            self._refuse(file_label(broken))
            return
        self._window.composer.clear()
        self._window.notices.clear_topic(_TOPIC)
        self.accepted.emit(draft)

    def stop_reading(self) -> None:
        """Wait for nothing more: what is being read is not attached, and nothing is sent by itself."""
        self._is_waiting = False
        self._intake.stop_reading()

    def _refuse(self, name: str) -> None:
        """What is wrong with the file stands on its card."""
        message = self.tr("Not sent: “{name}” cannot be used.").format(name=name)
        remedy = self.tr("Remove it or mend it, then send again. Nothing else was lost.")
        self._window.notices.show_notice(Notice(NoticeLevel.ERROR, message, remedy, _TOPIC))
        # Perhaps it was mended meanwhile.
        self._intake.reprice()

    def _on_attached(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            if not self._window.composer.is_empty:
                self.send(self._window.composer.draft)

    def _on_listed(self, is_whole: bool) -> None:
        if self._is_waiting and not is_whole:
            self._is_waiting = False
            message = self.tr("Not sent: not all that was dropped could be attached.")
            remedy = self.tr("Look over what is attached, then send it.")
            self._window.notices.show_notice(Notice(NoticeLevel.WARNING, message, remedy, _TOPIC))
        self._on_attached()

    def _on_reading_cancelled(self) -> None:
        # The button that was pressed goes, and would hand the keyboard to the first one of the window.
        self._window.composer.edit.setFocus()
        self.stop_reading()

    def _on_reading_changed(self) -> None:
        self._window.composer.reading.show_reading(self._intake.being_read)

    def _on_attachments_changed(self) -> None:
        if not any(card.problem for card in self._window.composer.strip.cards):
            self._window.notices.clear_topic(_TOPIC)
