"""The conversation: what the person said and what the model answered, in one readable column."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktopapp.engine.events import Channel, FinishReason, Stats
from desktopapp.ui.conversation.buttons import JumpButton
from desktopapp.ui.conversation.empty_state import EmptyState
from desktopapp.ui.conversation.lexers import LexerStore
from desktopapp.ui.conversation.message import RING_PX, Message
from desktopapp.ui.conversation.sanitise import is_web_address
from desktopapp.ui.conversation.scroller import FollowingScrollArea
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import COLUMN_WIDTH, SPACE_L, SPACE_XL

if TYPE_CHECKING:
    from desktopapp.engine.events import PreviewRead
    from desktopapp.engine.request import Attachment
    from desktopapp.ui.conversation.answer import AnswerMessage
    from desktopapp.ui.conversation.user_message import UserMessage

# The modules that show messages are imported when the first one comes, or this long after the window is up: it
# appears sooner without them.
_IMPORT_AFTER_MS = 400
# Text is shown at most thirty times a second, and never takes more than about a third of the time.
FRAME_MS = 34
_REST_FACTOR = 2.0
_BUDGET_S = 0.010


class ConversationView(QWidget):
    """Everything inside the scrolling conversation.

    Signals:
        message_removed: the person took a queued message back; carries its id.
        other_requested: the other model is to answer the same question; carries the answer's id.
        go_on_requested: a long job is to be taken up again; carries the answer's id.
        answer_now_requested: the thought is to end; carries the answer's id.
        retry_requested: `Send again` on a failed or stopped answer; carries the answer's id.
        remedy_chosen: another button of a failed answer; carries the answer's id and the note.
        link_clicked: the person clicked a link; http and https only.
        preview_wanted: `Attachment`, positions and longest side in pixels of a picture that an answer points at.
        prompt_suggested: one of the questions of the empty conversation, and its sample file's name or "".

    Args:
        parent: as always.
        clock: seconds, monotonic.
    """

    message_removed = Signal(str)
    retry_requested = Signal(str)
    remedy_chosen = Signal(str, object)
    other_requested = Signal(str)
    go_on_requested = Signal(str)
    answer_now_requested = Signal(str)
    link_clicked = Signal(str)
    preview_wanted = Signal(object, object, int)
    prompt_suggested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._messages: dict[str, Message] = {}
        self._answers: dict[str, AnswerMessage] = {}
        self._said: dict[str, UserMessage] = {}
        self._thumbnails: dict[str, QImage] = {}
        self._busy: dict[str, Message] = {}
        self._to_restyle: list[Message] = []
        self.layout_count = 0
        self._look = (colors_of(self), QGuiApplication.font().toString())
        self._lexers = LexerStore(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer)
        self._import_timer = QTimer(self)
        self._import_timer.setSingleShot(True)
        self._import_timer.setInterval(_IMPORT_AFTER_MS)
        self._import_timer.timeout.connect(self._import)
        self.scroll_area = FollowingScrollArea(self)
        self.scroll_area.following_changed.connect(self._on_following_changed)
        self._content = QWidget()
        self._content.setAutoFillBackground(False)
        self.empty = EmptyState(self._content)
        self.empty.prompt_suggested.connect(self.prompt_suggested)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, SPACE_XL, 0, SPACE_XL)
        self._column.setSpacing(SPACE_L)
        # The stretch keeps messages at the top; the hint takes nearly all of it.
        self._column.addWidget(self.empty, 1000)
        self._column.addStretch(1)
        sides = QHBoxLayout(self._content)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.addStretch(1)
        sides.addLayout(self._column)
        sides.addStretch(1)
        self.scroll_area.setWidget(self._content)
        self.scroll_area.stay_at_top(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.scroll_area)
        self.jump_button = JumpButton(self)
        self.jump_button.clicked.connect(self.scroll_area.jump_to_end)
        self.jump_button.hide()
        self.setFocusProxy(self.scroll_area)
        self._retranslate()

    # Messages

    def clear(self) -> None:
        """Remove everything."""
        for message_id in list(self._messages):
            self.remove_message(message_id)
        self._thumbnails.clear()

    def add_user_message(
        self,
        message_id: str,
        text: str,
        attachments: Sequence[str],
        *,
        queued: bool = False,
        task: str = "",
        asked: str = "",
    ) -> None:
        """Show a message of the person's, at the end, and go there.

        Args:
            message_id: a new one.
            text: as it was typed.
            attachments: paths, in order.
            queued: it waits until what runs is done.
            task: key of the task that it asks for, or empty.
            asked: what the model is asked for that.
        """
        from desktopapp.ui.conversation.user_message import UserMessage

        message = UserMessage(message_id, text, attachments, queued=queued, parent=self._content)
        message.removed.connect(lambda: self.message_removed.emit(message_id))
        message.task.show_task(task, asked)
        for path in attachments:
            if path in self._thumbnails:
                message.set_thumbnail(path, self._thumbnails[path])
        self._add(message)
        self._said[message_id] = message
        self.scroll_area.jump_to_end()

    def remove_message(self, message_id: str) -> None:
        """Take a message or an answer away. Without effect when it is not there."""
        message = self._messages.pop(message_id, None)
        if message is None:
            return
        for others in (self._busy, self._answers, self._said):
            others.pop(message_id, None)
        if message in self._to_restyle:
            self._to_restyle.remove(message)
        self._column.removeWidget(message)
        message.hide()
        message.deleteLater()
        self._show_empty(not self._messages)

    def set_thumbnail(self, path: str, image: QImage) -> None:
        """Show the thumbnail of an attachment, in messages that are there and in those to come."""
        self._thumbnails[path] = image
        for message in self._said.values():
            message.set_thumbnail(path, image)

    # Answers

    def begin_answer(self, answer_id: str, model_label: str) -> None:
        """Make room for an answer."""
        self._lexers.warm_up()
        self._add_answer(answer_id, model_label)

    def shown_answer(self, answer_id: str) -> AnswerMessage | None:
        """The widget of an answer; None where it is not shown (any more)."""
        return self._answers.get(answer_id)

    def set_answer_media(self, answer_id: str, attachments: Sequence[Attachment]) -> None:
        """Tell what the model is shown for an answer, in the order in which it counts pictures."""
        answer = self._answers.get(answer_id)
        if answer is not None:
            answer.set_media(attachments)

    def show_preview(self, preview: PreviewRead) -> None:
        """A larger picture for what an answer points at."""
        for answer in self._answers.values():
            answer.show_preview(preview)

    def set_status(self, answer_id: str, text: str) -> None:
        """Say what is being done for an answer, until its first text comes."""
        answer = self._answers.get(answer_id)
        if answer is not None:
            answer.set_status(text)

    def append_text(self, answer_id: str, channel: Channel, text: str) -> None:
        """Add text to an answer or its thought. Cheap: it is shown with what comes in the same frame."""
        answer = self._answers.get(answer_id)
        if answer is not None:
            answer.append(channel, text)
            self._wake(answer)

    def finish_answer(self, answer_id: str, finish_reason: FinishReason, stats: Stats | None) -> None:
        """The answer is complete, stopped, or cut at its limit."""
        answer = self._answers.get(answer_id)
        if answer is not None:
            answer.end(finish_reason, stats)

    def fail_answer(self, answer_id: str, message: str, remedy: str, *, can_retry: bool = True) -> None:
        """The answer failed. What was streamed stays; a card says what happened, what to do, and whether to retry."""
        answer = self._answers.get(answer_id)
        if answer is not None:
            answer.fail(message, remedy, can_retry=can_retry)

    def restore_answer(
        self,
        answer_id: str,
        model_label: str,
        text: str,
        thought: str,
        finish_reason: FinishReason | None,
        error: tuple[str, str] | None,
        stats: Stats | None = None,
        *,
        can_retry: bool = True,
    ) -> None:
        """Show an answer of an earlier day.

        Args:
            answer_id: a new one.
            model_label: the model that gave it.
            text: all of it, Markdown.
            thought: likewise; shown folded.
            finish_reason: why it ended; None when it failed, or the program ended first.
            error: message and remedy of a failure, or None.
            stats: its figures, where they were kept.
            can_retry: of a failure, sending the same again may help.
        """
        self._lexers.warm_up()
        answer = self._add_answer(answer_id, model_label)
        answer.restore(text, thought)
        if error is not None:
            answer.fail(*error, can_retry=can_retry)
        else:
            answer.end(finish_reason, stats)

    def answer_text(self, answer_id: str) -> str:
        """All Markdown of an answer so far, without its thought; empty when there is no such answer."""
        answer = self._answers.get(answer_id)
        return answer.message_text() if answer is not None else ""

    def message(self, message_id: str) -> Message | None:
        """The widget of a message or an answer."""
        return self._messages.get(message_id)

    def flush(self) -> None:
        """Lay out all pending text now, whatever it takes."""
        while self._busy or self._to_restyle:
            self._work(lambda: True)
        self._timer.stop()
        self._lexers.wait()
        self._settle()

    # Inside

    def _add_answer(self, answer_id: str, model_label: str) -> AnswerMessage:
        from desktopapp.ui.conversation.answer import AnswerMessage

        answer = AnswerMessage(answer_id, model_label, self._lexers, self._clock, self._content)
        answer.link_clicked.connect(self._on_link_clicked)
        answer.preview_wanted.connect(self.preview_wanted)
        answer.go_on_requested.connect(lambda: self.go_on_requested.emit(answer_id))
        answer.retry_requested.connect(lambda: self.retry_requested.emit(answer_id))
        answer.remedy_chosen.connect(lambda note: self.remedy_chosen.emit(answer_id, note))
        answer.other_requested.connect(lambda: self.other_requested.emit(answer_id))
        answer.answer_now_requested.connect(lambda: self.answer_now_requested.emit(answer_id))
        answer.work_wanted.connect(lambda: self._wake(answer))
        self._add(answer)
        self._answers[answer_id] = answer
        return answer

    def _add(self, message: Message) -> None:
        self.remove_message(message.message_id)
        self._show_empty(False)
        self._messages[message.message_id] = message
        message.set_width(self._column_px())
        # The hint of the empty conversation is the first item of the column.
        self._column.insertWidget(len(self._messages), message)
        message.show()

    def _show_empty(self, is_empty: bool) -> None:
        self.empty.setVisible(is_empty)
        self.scroll_area.stay_at_top(is_empty)

    def _wake(self, message: Message) -> None:
        self._busy[message.message_id] = message
        if not self._timer.isActive():
            self._timer.start(FRAME_MS)

    def _on_timer(self) -> None:
        started_s = time.perf_counter()
        self._work(lambda: time.perf_counter() - started_s < _BUDGET_S)
        took_ms = (time.perf_counter() - started_s) * 1000
        if self._busy or self._to_restyle:
            self._timer.start(max(FRAME_MS, round(took_ms * _REST_FACTOR)))

    def _work(self, has_time: Callable[[], bool]) -> None:
        self.layout_count += 1
        if self._to_restyle:
            message = self._to_restyle.pop()
            with self.scroll_area.held():
                message.restyle()
                message.set_width(self._column_px())
                self._settle()
        for message_id, message in list(self._busy.items()):
            if message.process(has_time):
                self._busy.pop(message_id, None)
            if not has_time():
                break

    def _settle(self) -> None:
        """Let sizes and the scroll range be those of the text, without waiting for the event loop."""
        # A round for each level: pane, piece, body, thought, message, column, content, scroll area.
        for _ in range(8):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)

    def _column_px(self) -> int:
        outer = self.scroll_area.viewport().width()
        return max(240, min(COLUMN_WIDTH - 2 * SPACE_XL, outer - 2 * SPACE_XL) + 2 * RING_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the column and put the button in its place."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """The first time, the column gets its width."""
        super().showEvent(event)
        self._fit()
        self._import_timer.start()

    def _import(self) -> None:
        import_module("desktopapp.ui.conversation.answer")
        import_module("desktopapp.ui.conversation.user_message")

    def _fit(self) -> None:
        width_px = self._column_px()
        self.empty.setFixedWidth(width_px)
        for message in self._messages.values():
            message.set_width(width_px)
        side = self.jump_button.SIDE_PX
        self.jump_button.move((self.width() - side) // 2, self.height() - side - SPACE_L)
        self.jump_button.raise_()

    def changeEvent(self, event: QEvent) -> None:
        """Language, colours and fonts of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        elif is_palette_change(event) or event.type() == QEvent.Type.FontChange:
            self._restyle()

    def _restyle(self) -> None:
        """Show the messages anew, one a frame, where colours or fonts really are others."""
        look = (colors_of(self), QGuiApplication.font().toString())
        if look == self._look:
            return
        self._look = look
        self._to_restyle = list(self._messages.values())
        if self._to_restyle and not self._timer.isActive():
            self._timer.start(0)

    def _retranslate(self) -> None:
        self.scroll_area.setAccessibleName(self.tr("Conversation"))
        self.jump_button.retranslate()

    def _on_following_changed(self, following: bool) -> None:
        self.jump_button.setVisible(not following)

    def _on_link_clicked(self, address: str) -> None:
        if is_web_address(address):
            self.link_clicked.emit(address)
