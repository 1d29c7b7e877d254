"""Does what a failed answer's buttons say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.request import BackendChoice
from desktopapp.settings import Settings
from desktopapp.ui.chat import Chat, ChatState
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.model_control import ModelControl
from desktopapp.ui.remedy_actions import GET_MODEL, NEW_CONVERSATION, changed_settings, reduced, wants_edit


class RemedyControl(QObject):
    """Applies a remedy, and asks again where nothing is left to the person.

    Args:
        window: with composer and model list.
        chat: knows the question.
        models: changes the model.
        settings: those of now.
        parent: as always.

    Signals:
        settings_changed: `Settings` to keep and to follow.
        new_wanted: the question is to stand in a new conversation.
        unload_wanted: the model's memory is to be given back, before it is asked again.
        draft_returned: a `Draft` for the composer: the question, behind what was being written there.
    """

    settings_changed = Signal(object)
    new_wanted = Signal()
    unload_wanted = Signal()
    draft_returned = Signal(object)

    def __init__(
        self,
        window: MainWindow,
        chat: Chat,
        models: ModelControl,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._chat = chat
        self._models = models
        self._settings = settings

    def on_chosen(self, answer_id: str, note: PlanNote) -> None:
        """A button was pressed.

        Args:
            answer_id: of the failed answer.
            note: its remedy.
        """
        if note == NEW_CONVERSATION or wants_edit(note):
            self._write_anew(answer_id, note)
        elif note.code == NoteCode.PICK_SMALLER_MODEL:
            self._window.picker.open()
        elif note == GET_MODEL:
            self._models.offer_models()
        else:
            settings = changed_settings(note, self._settings())
            if settings is not None:
                self.settings_changed.emit(settings)
            elif note.code == NoteCode.RELOAD_MODEL:
                self.unload_wanted.emit()
            elif note.code == NoteCode.USE_MODEL:
                model, backend = (str(note.figures.get(name, "")) for name in ("model", "backend"))
                self._models.use(model, BackendChoice(backend or "auto"))
            if self._chat.state is ChatState.IDLE:
                self._chat.retry(answer_id)
            else:
                self._write_anew(
                    answer_id, note
                )  # another answer runs: the person says whether this one waits for it

    def _write_anew(self, answer_id: str, note: PlanNote) -> None:
        question = self._chat.question_again(answer_id)
        if question is None:
            return
        if note == NEW_CONVERSATION:
            self.new_wanted.emit()
        draft = reduced(question, note)
        text = self._window.composer.draft.text.strip()
        self.draft_returned.emit(replace(draft, text=f"{text}\n\n{draft.text}" if text else draft.text))
        self._window.composer.edit.setFocus()
