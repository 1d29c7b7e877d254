"""One answer: the model's name, its thought, its text, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktopapp.engine.events import Channel, FinishReason, PreviewRead, Stats
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.request import Attachment
from desktopapp.ui.conversation.body import MarkdownBody
from desktopapp.ui.conversation.error_card import ErrorCard
from desktopapp.ui.conversation.footer import AnswerFooter
from desktopapp.ui.conversation.formats import Formats
from desktopapp.ui.conversation.lexers import LexerStore
from desktopapp.ui.conversation.message import RING_PX, Message
from desktopapp.ui.conversation.route_chip import RouteChip
from desktopapp.ui.conversation.seek_links import seek_second
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.status_line import StatusLine
from desktopapp.ui.conversation.thought import ThoughtBlock
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.media.groups import kind_of
from desktopapp.ui.media.places_area import PlacesArea
from desktopapp.ui.media.zoom_row import ZoomRow
from desktopapp.ui.remedy_actions import RemedyOffer
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import SPACE_XS


class AnswerMessage(Message):
    """An answer, streaming or complete.

    Signals:
        link_clicked: carries the address.
        retry_requested: `Send again` was pressed.
        remedy_chosen: another button of the error's was; carries its note.
        other_requested: the other model is to answer the same question.
        answer_now_requested: the thought is to end.
        go_on_requested: the long job is to be taken up again.
        preview_wanted: `Attachment`, positions and longest side in pixels of a picture that the answer is about.
        work_wanted: there is something to show; `process` does it.

    Args:
        answer_id: of the answer.
        model_label: how the conversation names the model.
        lexers: for code blocks.
        clock: seconds, monotonic.
        parent: as always.
    """

    link_clicked = Signal(str)
    retry_requested = Signal()
    remedy_chosen = Signal(object)
    other_requested = Signal()
    answer_now_requested = Signal()
    go_on_requested = Signal()
    preview_wanted = Signal(object, object, int)
    work_wanted = Signal()

    def __init__(
        self,
        answer_id: str,
        model_label: str,
        lexers: LexerStore,
        clock: Callable[[], float],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(answer_id, parent)
        self._lexers = lexers
        self._clock = clock
        self._width_px = 600
        self._incoming: list[tuple[Channel, str]] = []
        self._parts: list[str] = []
        self._has_text = False
        self._is_complete = False
        self._has_video = False
        self._media: tuple[Attachment, ...] = ()
        self._thought_said: tuple[int, str | None] = (0, None)
        self.thought: ThoughtBlock | None = None
        self.error_card: ErrorCard | None = None
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setText(model_label)
        self.label.setVisible(bool(model_label))
        self.route = RouteChip(self)
        self.route.other_requested.connect(self.other_requested)
        self.status = StatusLine(self)
        self.body = MarkdownBody(lexers, self._make_formats, self)
        self.body.link_clicked.connect(self._on_link_clicked)
        self.zooms = ZoomRow(self)
        self.zooms.setContentsMargins(RING_PX, 0, 0, 0)
        self.zooms.preview_wanted.connect(self.preview_wanted)
        self.places = PlacesArea(self)
        self.places.preview_wanted.connect(self.preview_wanted)
        self.places.setContentsMargins(RING_PX, 0, 0, 0)
        self.footer = AnswerFooter(self)
        self.footer.copy_requested.connect(lambda: self.footer.copy_button.copy(self.message_text()))
        self.footer.retry_requested.connect(self.retry_requested)
        self.footer.go_on_requested.connect(self.go_on_requested)
        self.footer.hide()
        self._layout = QVBoxLayout(self)
        # Buttons stand a ring's width further left than text, so that their glyphs are in line with it.
        self._layout.setContentsMargins(0, RING_PX, RING_PX, RING_PX)
        self._layout.setSpacing(SPACE_XS + 2)
        self.label.setContentsMargins(RING_PX, 0, 0, 0)
        self.status.setContentsMargins(RING_PX, 0, 0, 0)
        self.body.setContentsMargins(RING_PX, 0, 0, 0)
        self.route.setContentsMargins(RING_PX, 0, 0, 0)
        for widget in (self.label, self.route, self.zooms, self.body, self.places, self.status, self.footer):
            self._layout.addWidget(widget)
        self._restyle_label()
        self.retranslate()

    # What the conversation calls

    def set_label(self, model_label: str) -> None:
        """Name another model."""
        self.label.setText(model_label)
        self.label.setVisible(bool(model_label))
        self.retranslate()

    def show_route(self, words: str, other: str) -> None:
        """Say which model was chosen and why; `other` names the button that asks the other one, or is empty."""
        self.route.show_route(words, other)

    def set_media(self, attachments: Sequence[Attachment]) -> None:
        """Tell what the model is shown, in the order in which it counts pictures; times lead to a video's seconds."""
        self._media = tuple(attachments)
        self.places.set_media(attachments)
        self.places.look()
        has_video = any(kind_of(attachment) == "video" for attachment in attachments)
        if has_video != self._has_video:
            self._has_video = has_video
            self.body.restyle()

    def show_zoom(self, zoom: ZoomedIn) -> None:
        """The model looked closer at a part of a picture."""
        sent = next((one for one in self._media if one.path == zoom.path), Attachment(zoom.path))
        self.zooms.add(zoom, sent)

    def offer_to_go_on(self, offered: bool) -> None:
        """The long job can be taken up again, or not."""
        self.footer.offer_to_go_on(offered)
        if offered:
            self.footer.show()

    def show_preview(self, preview: PreviewRead) -> None:
        """A picture came from the engine."""
        self.zooms.show_preview(preview)
        self.places.show_preview(preview)

    def set_thought_tokens(self, tokens: int, note: str | None = None) -> None:
        """Say how long the thought is; a note (or an empty one) says that it ended, and why."""
        self._thought_said = (tokens, note)
        if self.thought is not None:
            self.thought.set_tokens(tokens, note)

    def set_thought_time(self, seconds: float) -> None:
        """Say how long the thought of an earlier day took."""
        if self.thought is not None and seconds > 0:
            self.thought.set_duration(seconds)

    def set_status(self, text: str) -> None:
        """Say what is being done, until text comes or the answer ends."""
        if not self._is_complete:
            self.status.set_text(text)
            self.status.setVisible(True)

    def append(self, channel: Channel, text: str) -> None:
        """Add text; `process` shows it."""
        if channel is Channel.ANSWER:
            self._parts.append(text)
        self._incoming.append((channel, text))

    def end(self, reason: FinishReason | None, stats: Stats | None) -> None:
        """The answer is complete, stopped, or cut."""
        self._complete()
        self.footer.show_end(reason, stats, can_copy=bool(self.message_text()))
        self.footer.show()

    def fail(self, message: str, remedy: str, *, can_retry: bool = True) -> None:
        """The answer failed; what was streamed stays."""
        self._complete()
        if self.error_card is not None:
            self._layout.removeWidget(self.error_card)
            self.error_card.deleteLater()
        self.error_card = ErrorCard(message, remedy, self, can_retry=can_retry)
        self.error_card.setContentsMargins(RING_PX, 0, 0, 0)
        self.error_card.retry_requested.connect(self.retry_requested)
        self.error_card.remedy_chosen.connect(self.remedy_chosen)
        self._layout.addWidget(self.error_card)
        self.error_card.show()
        self.footer.show_end(None, None, can_copy=bool(self.message_text()))
        self.footer.setVisible(bool(self.message_text()))

    def offer_remedies(self, offers: Sequence[RemedyOffer], why: str) -> None:
        """Add to the error's card what the window can do about it, and why it failed."""
        if self.error_card is not None:
            self.error_card.offer(offers, why)

    def restore(self, text: str, thought: str) -> None:
        """Show an answer of an earlier day."""
        if thought:
            self._make_thought().restore(thought)
        if text:
            self.append(Channel.ANSWER, text)

    def process(self, has_time: Callable[[], bool]) -> bool:
        """Show what came, while there is time. Returns True when nothing is left to do."""
        incoming, self._incoming = self._incoming, []
        for channel, text in incoming:
            self._take(channel, text)
        is_done = self.thought is None or self.thought.process(has_time)
        return is_done and self.body.process(has_time)

    # What all messages have

    def message_text(self) -> str:
        """The answer's Markdown, without the thought."""
        self._parts = ["".join(self._parts)]
        return self._parts[0]

    def group(self) -> SelectionGroup:
        """The answer's text."""
        return self.body.group

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        super().set_width(width_px)
        self._width_px = width_px
        self.body.set_width(width_px - 2 * RING_PX)
        self.places.set_width(width_px - 2 * RING_PX)
        if self.thought is not None:
            self.thought.set_width(width_px - 2 * RING_PX)

    def restyle(self) -> None:
        """New colours and fonts."""
        self._restyle_label()
        self.body.restyle()
        if self.thought is not None:
            self.thought.restyle()

    def retranslate(self) -> None:
        """Speak the language of now."""
        name = self.label.text()
        self.places.retranslate()
        self.zooms.retranslate()
        self.setAccessibleName(self.tr("Answer of %1").replace("%1", name) if name else self.tr("Answer"))

    def _on_link_clicked(self, address: str) -> None:
        second = seek_second(address)
        if second is None:
            self.link_clicked.emit(address)
        else:
            self.places.seek(second)

    def _take(self, channel: Channel, text: str) -> None:
        if not self._has_text and text:
            self._has_text = True
            self.status.hide()
        if channel is Channel.THOUGHT:
            (self.thought or self._make_thought()).body.feed(text)
            return
        if self.thought is not None:
            self.thought.end(fold=True)
        self.body.feed(text)
        self.places.feed(self.message_text())

    def _make_thought(self) -> ThoughtBlock:
        self.thought = ThoughtBlock(self._lexers, self._clock, self)
        self.thought.link_clicked.connect(self.link_clicked)
        self.thought.work_wanted.connect(self.work_wanted)
        self.thought.answer_now_requested.connect(self.answer_now_requested)
        self.thought.set_tokens(*self._thought_said)
        self.thought.set_width(self._width_px - 2 * RING_PX)
        self._layout.insertWidget(self._layout.indexOf(self.body), self.thought)
        self.thought.show()
        return self.thought

    def _complete(self) -> None:
        self._is_complete = True
        self.route.allow_other()
        self.process(lambda: False)
        self.status.hide()
        if self.thought is not None:
            self.thought.end(fold=self._has_answer())
        self.body.finish()
        self.places.look()
        self.work_wanted.emit()

    def _has_answer(self) -> bool:
        return any(part.strip() for part in self._parts)

    def _restyle_label(self) -> None:
        font = fonts().small
        font.setWeight(font.Weight.DemiBold)
        self.label.setFont(font)
        self.label.setStyleSheet(f"color: {colors_of(self).text_secondary}")

    def _make_formats(self) -> Formats:
        return Formats(colors_of(self), typography(), links_times=self._has_video)
