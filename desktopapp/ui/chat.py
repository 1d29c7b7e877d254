"""The course of a conversation: sends, queues, stops, shows what the worker says, keeps it saved."""

from __future__ import annotations

import uuid
from dataclasses import replace
from enum import StrEnum
from itertools import takewhile

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktopapp.conversations import Draft, MessageState, StoredConversation, StoredError, StoredMessage
from desktopapp.engine.events import Channel, Failed, Finished, FinishReason, TextAdded
from desktopapp.engine.request import Mode, ModelChoice, ReasoningLimits, Request, Role
from desktopapp.ui.answer_extras import job_of, zooms_of
from desktopapp.ui.chat_view import View
from desktopapp.ui.conversation_saver import ConversationSaver
from desktopapp.ui.dialogue import attachments_of, attachments_said, build_dialogue
from desktopapp.ui.questions import draft_of, joined_draft, make_request, question_of_draft
from desktopapp.ui.remedy_actions import offers_of, why_of
from desktopapp.ui.stored_answers import as_interrupted, can_ask_again, mode_of, question_of, stats_of
from desktopapp.ui.waiting_words import WaitingWords
from desktopapp.ui.wording import file_label, translate_error

_SAVE_EVERY_MS = 1000


class ChatState(StrEnum):
    """Whether an answer runs."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


class Chat(QObject):
    """One conversation at a time, one answer at a time.

    Signals:
        submit_requested: a `Request` for the worker.
        cancel_requested: id of the request to stop.
        state_changed: the new `ChatState`.
        measured: `Stats` of an answer that ended.
        returned: a draft whose sending failed over one attachment: `Draft`, that path, and what is wrong.
        left_out: labels of earlier pictures that no longer go along.
        shown: a message with attachments was shown, so thumbnails are wanted; carries the paths.
    """

    submit_requested = Signal(object)
    cancel_requested = Signal(str)
    state_changed = Signal(object)
    measured = Signal(object)
    returned = Signal(object, str, str)
    left_out = Signal(object)
    shown = Signal(object)

    def __init__(self, view: View, saver: ConversationSaver, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._saver = saver
        self._choice = ModelChoice("")
        self._model_label = ""
        self._reasoning = ReasoningLimits()
        # Questions for the other model: how it is asked, and the first of those that this one repeats.
        self._again: dict[str, tuple[Mode, str]] = {}
        self._messages: dict[str, StoredMessage] = {}
        self._refused: set[str] = set()
        self.waiting = WaitingWords(view, self)
        self._running = ""
        self._asked = ""
        self._state = ChatState.IDLE
        self._texts: dict[Channel, list[str]] = {}
        self._is_streaming = True
        self._held: list[tuple[Channel, str]] = []
        """What was written and is shown with the end of the answer only."""
        self._save_timer = QTimer(self, singleShot=True, interval=_SAVE_EVERY_MS)
        self._save_timer.timeout.connect(self._save_running)

    @property
    def state(self) -> ChatState:
        """Whether an answer runs."""
        return self._state

    @property
    def messages(self) -> tuple[StoredMessage, ...]:
        """The conversation, oldest first; what is queued stands last."""
        return tuple(self._messages.values())

    def choose_model(self, choice: ModelChoice, label: str) -> None:
        """Take another model from the next answer on.

        Args:
            choice: what runs.
            label: how the conversation names it.
        """
        self._choice, self._model_label = choice, label
        self.waiting.forget_loading()

    def limit_reasoning(self, limits: ReasoningLimits) -> None:
        """Let Thinking models think so far, from the next answer on."""
        self._reasoning = limits

    def show_while_written(self, streaming: bool) -> None:
        """Show answers as they come, or when they are complete."""
        self._is_streaming = streaming

    def restore(self, conversation: StoredConversation) -> Draft:
        """Show a stored conversation; return its draft.

        What was still queued comes back in front of the draft: nothing is sent unasked, nothing is lost.
        """
        queued: list[StoredMessage] = []
        for message in conversation.messages:
            if message.state is MessageState.QUEUED:
                queued.append(message)
                self._saver.remove_message(message.message_id)
            elif message.role == Role.USER:
                self._messages[message.message_id] = message
                self._show_question(message)
            else:
                self._restore_answer(message)
        return joined_draft(queued, conversation.draft)

    def leave(self) -> None:
        """Show nothing any more; a running answer is stopped, and kept where it stands as far as it got."""
        if self._running:
            self.cancel_requested.emit(self._running)
            self._keep_running_as(FinishReason.CANCELLED)
        self._messages.clear()
        self._again.clear()
        self._refused.clear()
        self._view.clear()
        self._set_state(ChatState.IDLE)

    def send(self, draft: Draft, *, again: tuple[Mode, str] | None = None) -> None:
        """Ask, or queue while an answer runs; `again` is the mode and the question that it repeats for that."""
        queued = self._state is not ChatState.IDLE
        message = question_of_draft(draft, MessageState.QUEUED if queued else MessageState.SENT)
        if again is not None:
            self._again[message.message_id] = again
        self._messages[message.message_id] = message
        self._saver.save_message(message)
        self._show_question(message)
        if not queued:
            self._ask(message)

    def draft_request(self, request_id: str, draft: Draft) -> Request:
        """The request that a draft would become if it were sent and answered now."""
        question = question_of_draft(draft, MessageState.SENT, request_id)
        dialogue = build_dialogue(self._said(), question, self._refused)
        return make_request(request_id, self._choice, dialogue.turns, question)

    def stop(self) -> None:
        """Stop the running answer; its text so far stays."""
        if self._state is ChatState.RUNNING:
            self.waiting.end()
            self._view.set_status(self._running, self.tr("Stopping …"))
            self._set_state(ChatState.STOPPING)
            self.cancel_requested.emit(self._running)

    def retry(self, answer_id: str) -> None:
        """Ask the question of this answer once more; in place where it is the last one."""
        question = question_of(self._messages, answer_id)
        if self._state is not ChatState.IDLE or question is None:
            return
        if answer_id == next(reversed(self._messages)):
            self._forget(answer_id)
            self._ask(question)
        else:
            self.send(draft_of(question), again=self._again.get(question.message_id))

    def go_on(self, answer_id: str) -> None:
        """Go on with the long job of the last answer, behind the parts that are done."""
        answer, question = self._messages.get(answer_id), question_of(self._messages, answer_id)
        if self._state is not ChatState.IDLE or answer is None or question is None:
            return
        if job_of(answer) is not None and answer_id == next(reversed(self._messages)):
            self._forget(answer_id)
            self._ask(question, answer)

    def running_answer(self, answer_id: str) -> StoredMessage | None:
        """The answer that runs as far as it got, where it is this one."""
        return self._current_answer() if answer_id and answer_id == self._running else None

    def keep(self, answer: StoredMessage) -> None:
        """Keep what became of the answer that runs."""
        self._messages[answer.message_id] = answer
        self._saver.save_message(answer)

    def question_again(self, answer_id: str) -> Draft | None:
        """The question of an answer, to be written anew; None where there is none."""
        question = question_of(self._messages, answer_id)
        return None if question is None else draft_of(question)

    def ask_other(self, answer_id: str) -> None:
        """Ask the other model of the pair the question of this answer, with what was said before it."""
        answer, question = self._messages.get(answer_id), question_of(self._messages, answer_id)
        mode = mode_of(answer) if answer is not None else None
        if question is None or mode is None:
            return
        other = Mode.INSTRUCT if mode is Mode.THINKING else Mode.THINKING
        _, first = self._again.get(question.message_id, (mode, question.message_id))
        self.send(draft_of(question), again=(other, first))

    def remove_queued(self, message_id: str) -> None:
        """Take a queued message back."""
        message = self._messages.get(message_id)
        if message is not None and message.state is MessageState.QUEUED:
            self._forget(message_id)

    def close(self) -> None:
        """Keep the running answer as far as it got; the person ended it, so it counts as stopped."""
        if self._running:
            self._keep_running_as(FinishReason.CANCELLED)

    def on_text_added(self, event: TextAdded) -> None:
        """Some more of the answer or of the thought."""
        if event.request_id != self._running:
            return
        self._texts.setdefault(event.channel, []).append(event.text)
        self._held.append((event.channel, event.text))
        if self._is_streaming:
            self._show_held()
        if not self._save_timer.isActive():
            self._save_timer.start()

    def _show_held(self) -> None:
        for channel, text in self._held:
            self._view.append_text(self._running, channel, text)
        self._held.clear()

    def on_finished(self, event: Finished) -> None:
        """The answer is complete, stopped, or cut at its limit."""
        if event.request_id != self._running:
            return
        self._show_held()
        self._texts = {Channel.ANSWER: [event.text], Channel.THOUGHT: [event.thought]}
        self._view.finish_answer(event.request_id, event.finish_reason, event.stats)
        self._keep_running_as(event.finish_reason, msgspec.to_builtins(event.stats))
        self._refused.difference_update(self._messages[self._asked].attachments)
        self.measured.emit(event.stats)
        self._go_on()

    def on_failed(self, event: Failed) -> None:
        """The answer failed; what was streamed stays."""
        self.waiting.forget_loading()
        if not event.request_id or event.request_id != self._running:
            return
        self._show_held()
        message, remedy = translate_error(event)
        error = StoredError(event.error, event.message, event.remedy, dict(event.values))
        self._view.fail_answer(event.request_id, message, remedy, can_retry=can_ask_again(error))
        self._offer_remedies(event.request_id, error)
        answer = replace(self._current_answer(), state=MessageState.FAILED, error=error)
        self._end_running(answer)
        question = self._messages[self._asked]
        if event.attachment:
            self._refused.add(event.attachment)
        if event.attachment in question.attachments:
            self.returned.emit(draft_of(question), event.attachment, message)
        self._go_on()

    def _ask(self, question: StoredMessage, goes_on: StoredMessage | None = None) -> None:
        mode, asked_first = self._again.get(question.message_id, (self._choice.mode, question.message_id))
        earlier = list(takewhile(lambda message: message.message_id != asked_first, self._said()))
        dialogue = build_dialogue(earlier, question, self._refused)
        answer = StoredMessage(
            uuid.uuid4().hex, Role.ASSISTANT, "", MessageState.RUNNING, model_label=self._model_label
        )
        answer = replace(answer, job=goes_on.job if goes_on is not None else {})
        waiting = self._hide_queued()
        self._messages[answer.message_id] = answer
        self._saver.save_message(answer)
        self._texts = {}
        self._held.clear()
        self._running, self._asked = answer.message_id, question.message_id
        self._view.begin_answer(answer.message_id, self._model_label)
        self._view.set_answer_media(answer.message_id, attachments_of(dialogue.turns))
        self._show_queued(waiting)
        self._set_state(ChatState.RUNNING)
        self.waiting.begin(answer.message_id)
        if dialogue.left_out:
            self.left_out.emit([file_label(path) for path in dialogue.left_out])
        choice = replace(self._choice, mode=mode)
        self.submit_requested.emit(
            make_request(
                answer.message_id, choice, dialogue.turns, question, earlier, self._reasoning, goes_on
            )
        )

    def _go_on(self) -> None:
        """Send what waits next, or come to rest."""
        message = next((found for found in self.messages if found.state is MessageState.QUEUED), None)
        if message is None:
            self._set_state(ChatState.IDLE)
            return
        self._view.remove_message(message.message_id)
        del self._messages[message.message_id]
        self._messages[message.message_id] = message = replace(message, state=MessageState.SENT)
        self._saver.move_to_end(message)
        self._show_question(message)
        self._ask(message)

    def _said(self) -> list[StoredMessage]:
        return [message for message in self.messages if message.state is not MessageState.QUEUED]

    def _hide_queued(self) -> list[StoredMessage]:
        """Take queued messages out of the view, so that what comes next stands before them."""
        waiting = [message for message in self.messages if message.state is MessageState.QUEUED]
        for message in waiting:
            self._view.remove_message(message.message_id)
        return waiting

    def _show_queued(self, waiting: list[StoredMessage]) -> None:
        for message in waiting:
            self._messages[message.message_id] = self._messages.pop(message.message_id)
            self._show_question(message)

    def _show_question(self, message: StoredMessage) -> None:
        queued = message.state is MessageState.QUEUED
        self._view.add_user_message(
            message.message_id,
            message.text,
            message.attachments,
            queued=queued,
            task=message.task,
            asked=message.asked,
        )
        if message.attachments:
            self.shown.emit(message.attachments)

    def _restore_answer(self, message: StoredMessage) -> None:
        if message.state is MessageState.RUNNING:
            message = as_interrupted(message)
            self._saver.save_message(message)
        self._messages[message.message_id] = message
        self._view.restore_answer(
            message.message_id,
            message.model_label,
            message.text,
            message.thought,
            FinishReason(message.finish_reason) if message.finish_reason in list(FinishReason) else None,
            translate_error(message.error) if message.error else None,
            stats_of(message),
            can_retry=message.error is None or can_ask_again(message.error),
        )
        if message.error is not None:
            self._offer_remedies(message.message_id, message.error)
        self._view.set_answer_media(message.message_id, attachments_said(self.messages))
        if (shown := self._view.shown_answer(message.message_id)) is not None:
            for zoom in zooms_of(message):
                shown.show_zoom(zoom)
        self._offer_to_go_on(message)

    def _offer_remedies(self, answer_id: str, error: StoredError) -> None:
        offers, why = offers_of(error.error, error.values), why_of(error.values)
        shown = self._view.shown_answer(answer_id)
        if shown is not None and (offers or why):
            shown.offer_remedies(offers, why)

    def _offer_to_go_on(self, answer: StoredMessage) -> None:
        """A long job that was stopped or failed midway can be taken up again."""
        if (shown := self._view.shown_answer(answer.message_id)) is not None:
            shown.offer_to_go_on(job_of(answer) is not None)

    def _current_answer(self) -> StoredMessage:
        texts = {channel: "".join(parts) for channel, parts in self._texts.items()}
        self._texts = {channel: [text] for channel, text in texts.items()}
        answer = self._messages[self._running]
        return replace(answer, text=texts.get(Channel.ANSWER, ""), thought=texts.get(Channel.THOUGHT, ""))

    def _save_running(self) -> None:
        if self._running:
            self._saver.save_message(self._current_answer())

    def _keep_running_as(self, reason: FinishReason, stats: dict[str, object] | None = None) -> None:
        answer = self._current_answer()
        if reason is not FinishReason.CANCELLED:
            answer = replace(answer, job={})
        self._end_running(
            replace(answer, state=MessageState.DONE, finish_reason=str(reason), stats=stats or {})
        )

    def _end_running(self, answer: StoredMessage) -> None:
        self._save_timer.stop()
        self._messages[answer.message_id] = answer
        self._saver.save_message(answer)
        self._offer_to_go_on(answer)
        self.waiting.end()
        self._running = ""

    def _forget(self, message_id: str) -> None:
        del self._messages[message_id]
        self._view.remove_message(message_id)
        self._saver.remove_message(message_id)

    def _set_state(self, state: ChatState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)
