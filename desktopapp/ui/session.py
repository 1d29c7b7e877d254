"""What goes on in a window: wires its widgets to the conversation, the attachments, the models and the worker.

`desktopapp.app` imports this once the window is on the screen, which does not need any of it to appear.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from desktopapp import paths
from desktopapp.conversations import ConversationStore, Draft, StoredConversation
from desktopapp.engine.events import Failed
from desktopapp.engine.reasoning.limits import reasoning_of
from desktopapp.engine.request import ModelChoice, Role
from desktopapp.errors import AppError, ConversationsDamaged
from desktopapp.settings import LoadedSettings, Settings, save_settings
from desktopapp.ui.answer_extras import AnswerExtras
from desktopapp.ui.attachment_intake import AttachmentIntake
from desktopapp.ui.chat import Chat, ChatState
from desktopapp.ui.conversation_saver import ConversationSaver
from desktopapp.ui.draft_pricer import DraftPricer
from desktopapp.ui.draft_sender import DraftSender
from desktopapp.ui.history.control import HistoryControl
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.media.capture_control import CaptureControl
from desktopapp.ui.memory.retry_notices import RetryNotices
from desktopapp.ui.model_control import ModelControl
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.ui.remedy_control import RemedyControl
from desktopapp.ui.thinking_notes import ThinkingNotes
from desktopapp.ui.thumbnails import ThumbnailLoader
from desktopapp.ui.wording import file_label, translate_error

if TYPE_CHECKING:
    from desktopapp.ui.engine_worker import Worker

_MODEL_TOPIC = "model"

_log = logging.getLogger(__name__)


class Session(QObject):
    """The work behind one window.

    Args:
        window: shown already.
        worker: not started yet.
        loaded: the settings as read.
        parent: takes this along when it is destroyed, in the window's thread.
    """

    def __init__(
        self, window: MainWindow, worker: Worker, loaded: LoadedSettings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.window = window
        self.worker = worker
        self.settings = loaded.settings
        self.models = ModelControl(window, loaded, self)
        self._loader = ThumbnailLoader(self)
        self.intake = AttachmentIntake(window.composer.strip, self._loader, self)
        self.saver = ConversationSaver(self)
        self.history = HistoryControl(window, self.saver, self)
        self.chat = Chat(window.view, self.saver, self)
        self.chat.limit_reasoning(reasoning_of(self.settings))
        self.chat.show_while_written(self.settings.streaming)
        self.remedies = RemedyControl(window, self.chat, self.models, lambda: self.settings, self)
        self.thinking = ThinkingNotes(window.view, self)
        self.pricer = DraftPricer(window, self.chat, self.intake, self)
        self._problems = loaded.problems
        self.draft_sender = DraftSender(window, self.intake, self)
        self.capture = CaptureControl(window, self.intake, self)
        self.extras = AnswerExtras(self.chat, window.view, self)
        self._connect_chat()
        self._connect_window()
        self._connect_worker()

    def begin(self, attachments: Sequence[str]) -> None:
        """Start the engine, load the model, bring the last conversation back.

        Args:
            attachments: files and folders from the command line.
        """
        self.worker.start()
        self._open_store()
        self._show_draft(self.chat.restore(self.saver.claim()))
        self.thinking.show_kept(self.chat.messages)
        self.saver.clean_pasted(paths.pasted_dir())
        self.intake.take_paths(attachments)
        self._retitle()
        self.history.begin(self.settings.show_history)
        self.window.status.gauge.show_limit(self.settings.vram_limit_gib)
        for problem in self._problems:
            self._notify(Notice(NoticeLevel.WARNING, problem))
        self.models.begin()

    def close(self) -> None:
        """Save and end everything: what is to be kept first, since the rest may take seconds."""
        self.saver.save_draft(self._whole_draft())
        self.chat.close()
        self.pricer.close()
        self.intake.close()
        self._loader.close()
        self.saver.close()
        self.models.close()
        self.worker.shutdown()

    def _connect_chat(self) -> None:
        chat, view = self.chat, self.window.view
        view.message_removed.connect(chat.remove_queued)
        view.retry_requested.connect(chat.retry)
        view.remedy_chosen.connect(self.remedies.on_chosen)
        self.remedies.settings_changed.connect(self._on_remedied)
        self.remedies.new_wanted.connect(self._on_new)
        self.remedies.draft_returned.connect(self._show_draft)
        view.other_requested.connect(chat.ask_other)
        view.go_on_requested.connect(chat.go_on)
        view.prompt_suggested.connect(self._on_prompt_suggested)
        chat.state_changed.connect(self._on_state_changed)
        chat.measured.connect(self.window.status.show_stats)
        chat.returned.connect(self._on_returned)
        chat.left_out.connect(self._on_left_out)
        chat.shown.connect(self._on_message_shown)
        self.intake.thumbnail_ready.connect(view.set_thumbnail)
        view.preview_wanted.connect(self.worker.read_previews, Qt.ConnectionType.DirectConnection)
        self.worker.preview_read.connect(view.show_preview)
        self.saver.failed.connect(self._on_error)
        self.saver.switched.connect(self._on_switched)
        self.history.switch_wanted.connect(self._on_switch_wanted)
        self.history.new_wanted.connect(self._on_new)
        self.history.toggled.connect(self._on_history_toggled)

    def _connect_window(self) -> None:
        window, composer = self.window, self.window.composer
        window.media_dropped.connect(self.intake.take_mime)
        window.files_chosen.connect(self.intake.take_paths)
        window.new_requested.connect(self._on_new)
        window.stop_requested.connect(self.chat.stop)
        window.settings_menu.changed.connect(self._on_settings_changed)
        window.settings_menu.all_requested.connect(self._on_all_settings_requested)
        window.status.gauge.limit_chosen.connect(self._on_limit_chosen)
        self.draft_sender.accepted.connect(self._on_accepted)
        composer.capture_requested.connect(self.capture.begin)
        composer.media_pasted.connect(self.intake.take_mime)
        composer.draft_changed.connect(self._on_draft_changed)
        self.intake.text_received.connect(composer.insert_text)
        self.intake.noticed.connect(self._notify)
        self.models.load_requested.connect(self._on_load_requested)
        self.models.choice_changed.connect(self.chat.choose_model)
        self.models.settings_changed.connect(self._keep_settings)
        self.models.place_refused.connect(self._on_place_refused)
        self.models.prices_outdated.connect(self.intake.reprice)
        self.models.prices_outdated.connect(self.pricer.ask)

    def _connect_worker(self) -> None:
        worker, chat, models = self.worker, self.chat, self.models
        # Direct: the worker's thread is busy reading the engine's pipe, so a queued call would never run.
        direct = Qt.ConnectionType.DirectConnection
        chat.submit_requested.connect(worker.submit, direct)
        chat.cancel_requested.connect(worker.cancel, direct)
        self.window.view.answer_now_requested.connect(worker.answer_now, direct)
        self.intake.price_requested.connect(worker.price, direct)
        self.intake.previews_requested.connect(worker.read_previews, direct)
        self.pricer.price_requested.connect(worker.price_draft, direct)
        # Bound methods of objects in this thread: that is what makes Qt deliver these signals here.
        worker.model_loading.connect(models.on_model_loading)
        worker.model_loading.connect(chat.waiting.on_model_loading)
        worker.model_ready.connect(models.on_model_ready)
        worker.load_stopped.connect(models.on_load_stopped)
        for source in (self.window.status.gauge, self.remedies):
            source.unload_wanted.connect(worker.unload_model, direct)
        worker.model_unloaded.connect(models.on_model_unloaded)
        worker.request_started.connect(chat.waiting.on_request_started)
        worker.attachment_read.connect(chat.waiting.on_attachment_read)
        worker.prefill_progressed.connect(chat.waiting.on_prefill_progressed)
        worker.step_started.connect(chat.waiting.on_step_started)
        worker.zoomed_in.connect(self.extras.on_zoomed_in)
        worker.stretch_answered.connect(self.extras.on_stretch_answered)
        worker.text_added.connect(chat.on_text_added)
        self.thinking.follow(worker)
        self.thinking.settled.connect(self.extras.on_routed)
        worker.finished.connect(chat.on_finished)
        worker.failed.connect(models.on_failed)
        worker.failed.connect(self._on_failed)
        worker.failed.connect(chat.on_failed)
        worker.priced.connect(self.intake.show_prices)
        worker.preview_read.connect(self.intake.show_preview)
        worker.priced.connect(self.pricer.on_priced)
        worker.draft_priced.connect(self.pricer.on_draft_priced)
        worker.planned.connect(self.pricer.on_planned)
        retries = RetryNotices(self.window.notices, self)
        worker.retrying.connect(retries.on_retrying)
        worker.handed_on.connect(retries.on_handed_on)
        worker.memory_sampled.connect(self.window.status.gauge.show_sample)
        worker.engine_started.connect(models.on_engine_started)
        worker.engine_stopped.connect(models.on_engine_stopped)

    def _open_store(self) -> None:
        file = paths.conversations_file()
        try:
            try:
                store = ConversationStore(file)
            except ConversationsDamaged as error:
                self._on_error(error)
                store = ConversationStore(file)
        except AppError as error:
            self._on_error(error)
            return
        self.saver.open(store)

    def _show_draft(self, draft: Draft) -> None:
        if draft.task:
            self.window.composer.set_task(draft.task)
        if draft.text:
            self.window.composer.set_text(draft.text)
        self.intake.take_files(draft.attachments, draft.selections)

    def _whole_draft(self) -> Draft:
        """The draft with the folders that are not listed yet."""
        draft = self.window.composer.draft
        return replace(draft, attachments=tuple(dict.fromkeys(draft.attachments + self.intake.being_read)))

    def _on_accepted(self, draft: Draft) -> None:
        self.chat.send(draft)
        self._retitle()

    def _on_prompt_suggested(self, prompt: str, sample: str) -> None:
        self.window.composer.set_text(prompt)
        if sample:
            self.intake.take_paths([str(paths.resources_dir() / "samples" / sample)])
        self.window.composer.edit.setFocus()

    def _on_draft_changed(self) -> None:
        if self.window.composer.isEnabled():  # else it holds the draft of the conversation that is left
            self.saver.save_draft(self.window.composer.draft)

    def _on_new(self) -> None:
        self._leave()
        self.saver.begin_new()
        self.saver.save_draft(self.window.composer.draft)
        self._retitle()
        self.window.composer.edit.setFocus()

    def _on_switch_wanted(self, conversation_id: str) -> None:
        self._on_draft_changed()
        self.draft_sender.stop_reading()
        self.window.composer.setEnabled(False)
        self._leave()
        self.saver.switch(conversation_id)

    def _on_switched(self, conversation: StoredConversation) -> None:
        self.window.composer.setEnabled(True)
        self.chat.leave()  # one that was wanted before may have come first
        self.window.composer.clear()
        self._show_draft(self.chat.restore(conversation))
        self.thinking.show_kept(self.chat.messages)
        self._retitle()
        self.window.composer.edit.setFocus()

    def _leave(self) -> None:
        self.chat.leave()
        self.window.notices.clear()
        self.intake.forget_thumbnails()
        self.window.status.show_stats(None)

    def _on_history_toggled(self, is_open: bool) -> None:
        if is_open != self.settings.show_history:
            self._keep_settings(replace(self.settings, show_history=is_open))
            self.models.take_settings(self.settings)

    def _on_state_changed(self, state: ChatState) -> None:
        self.history.refresh()
        self.window.composer.show_running(state is not ChatState.IDLE, state is ChatState.STOPPING)

    def _on_message_shown(self, attachments: Sequence[str]) -> None:
        for path in attachments:
            self.intake.want_thumbnail(path)

    def _on_returned(self, draft: Draft, path: str, problem: str) -> None:
        """A message failed over one attachment: put it back, so that the person need not type it again."""
        if not self.window.composer.is_empty:
            return
        self._show_draft(draft)
        card = self.window.composer.strip.card(path)
        if card is not None:
            card.show_refused(problem)

    def _on_left_out(self, names: Sequence[str]) -> None:
        message = self.tr("Pictures from earlier in this conversation cannot be read any more: {names}.")
        remedy = self.tr("The model answers without them; attach them again where they matter.")
        self._notify(Notice(NoticeLevel.WARNING, message.format(names=", ".join(names)), remedy, "left_out"))

    def _on_load_requested(self, choice: ModelChoice) -> None:
        for topic in (_MODEL_TOPIC, "place"):
            self.window.notices.clear_topic(topic)
        self.worker.load_model(choice)

    def _on_failed(self, failed: Failed) -> None:
        if failed.details:
            _log.warning("%s: %s\n%s", failed.error, failed.message, failed.details)
        if not failed.request_id:
            message, remedy = translate_error(failed)
            self._notify(Notice(NoticeLevel.ERROR, message, remedy, _MODEL_TOPIC))

    def _on_place_refused(self, error: AppError) -> None:
        message, remedy = translate_error(error)
        self._notify(Notice(NoticeLevel.ERROR, message, remedy, "place"))

    def _on_error(self, error: AppError) -> None:
        _log.warning("%s: %s", error.error, error)
        message, remedy = translate_error(error)
        self._notify(Notice(NoticeLevel.ERROR, message, remedy, error.error))

    def _on_settings_changed(self, settings: Settings) -> None:
        # The menu knows the model of the start only; it may have changed since.
        kept = replace(settings, model_name=self.settings.model_name, model_places=self.settings.model_places)
        self._keep_settings(kept)
        self.models.take_settings(kept)
        self.chat.limit_reasoning(reasoning_of(kept))

    def _on_remedied(self, settings: Settings) -> None:
        self._keep_settings(settings)
        self.models.take_settings(settings)
        self.window.status.gauge.show_limit(settings.vram_limit_gib)

    def _on_all_settings_requested(self) -> None:
        from desktopapp.ui.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self.settings, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._on_settings_chosen)
        dialog.open()

    def _on_settings_chosen(self, settings: Settings) -> None:
        self.settings = settings  # the model's name as well, which changes in the menu leave alone
        self.history.begin(settings.show_history)
        self.window.status.gauge.show_limit(settings.vram_limit_gib)
        self.chat.show_while_written(settings.streaming)
        # Theme and language belong to the application, which listens to the menu.
        self.window.settings_menu.changed.emit(settings)

    def _on_limit_chosen(self, limit_gib: float | None) -> None:
        self._keep_settings(replace(self.settings, vram_limit_gib=limit_gib))
        self.models.take_settings(self.settings)

    def _keep_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.window.settings_menu.show_settings(settings)
        try:
            save_settings(settings)
        except OSError as error:
            message = self.tr("Your settings cannot be saved ({reason}).").format(
                reason=error.strerror or error
            )
            remedy = self.tr("Make {file} writable; until then they hold for this window.")
            remedy = remedy.format(file=paths.settings_file())
            self._notify(Notice(NoticeLevel.ERROR, message, remedy, "settings"))

    def _notify(self, notice: Notice) -> None:
        self.window.notices.show_notice(notice)

    def _retitle(self) -> None:
        first = next((message for message in self.chat.messages if message.role == Role.USER), None)
        name = file_label(first.attachments[0]) if first is not None and first.attachments else ""
        self.window.show_topic(first.text or name if first is not None else "")
        self.history.refresh()
