"""What the person said: a soft bubble on the right, its pictures above it."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QGraphicsOpacityEffect, QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget

from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.conversation.message import RING_PX, Message
from desktopapp.ui.conversation.sanitise import clean_markdown
from desktopapp.ui.conversation.selection import SelectionGroup
from desktopapp.ui.conversation.text_pane import TextPane
from desktopapp.ui.conversation.thumbnail_row import ThumbnailRow
from desktopapp.ui.conversation.typography import typography
from desktopapp.ui.media.task_chip import TaskChip
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_L, SPACE_L, SPACE_M, SPACE_S, SPACE_XS

_SHARE_OF_COLUMN = 0.82
_LINE_HEIGHT_PERCENT = 135
# A longer message shows its beginning, and the rest on demand.
_SHOWN_LENGTH, _SHOWN_LINES = 3000, 24


class _Bubble(QWidget):
    """The ground of the text."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rounded, in the person's colour."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors_of(self).user_bubble))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS_L, RADIUS_L)


class UserMessage(Message):
    """A message of the person's, sent or waiting in the queue.

    Signals:
        removed: the person took a queued message back.

    Args:
        message_id: of the message.
        text: as it was typed; shown as it is, never as Markdown.
        attachments: paths, in order.
        queued: it waits.
        parent: as always.
    """

    removed = Signal()

    def __init__(
        self,
        message_id: str,
        text: str,
        attachments: Sequence[str],
        *,
        queued: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(message_id, parent)
        self._text = text
        self._beginning = _beginning(text)
        self._is_whole = self._beginning == text
        self._group = SelectionGroup(lambda: [self.pane])
        self.thumbnails = ThumbnailRow(attachments, self)
        self.thumbnails.setVisible(bool(attachments))
        self.task = TaskChip(can_remove=False, parent=self)
        self._bubble = _Bubble(self)
        self._bubble.setVisible(bool(text))
        self.pane = TextPane(self._group, self._bubble)
        self.pane.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.more_button = QuietButton("chevron-down", self._bubble)
        self.more_button.setVisible(not self._is_whole)
        self.more_button.clicked.connect(self._on_more)
        self.queue_label = QLabel(self)
        self.queue_label.setVisible(queued)
        self.remove_button = QuietButton("close", self)
        self.remove_button.setVisible(queued)
        self.remove_button.clicked.connect(self.removed)
        if queued:
            _fade(self._bubble)
            _fade(self.thumbnails)
        self._lay_out()
        self.restyle()
        self.retranslate()

    def set_thumbnail(self, path: str, image: QImage) -> None:
        """A thumbnail has come."""
        self.thumbnails.set_image(path, image)

    def message_text(self) -> str:
        """As it was typed."""
        return self._text

    def group(self) -> SelectionGroup:
        """The text."""
        return self._group

    def set_width(self, width_px: int) -> None:
        """The width of the column; the bubble is as wide as its longest line needs."""
        super().set_width(width_px)
        inner = width_px - 2 * RING_PX
        self.thumbnails.set_width(inner)
        most = int(inner * _SHARE_OF_COLUMN) - 2 * SPACE_L
        document = self.pane.document()
        self.pane.setLineWrapColumnOrWidth(most)
        # One pixel more, or rounding would wrap the longest line.
        wanted = min(most, ceil(document.idealWidth()) + 1)
        self.pane.setLineWrapColumnOrWidth(wanted)
        self.pane.setFixedSize(wanted, ceil(document.size().height()))

    def restyle(self) -> None:
        """New colours and fonts."""
        self.queue_label.setFont(fonts().small)
        self.queue_label.setStyleSheet(f"color: {colors_of(self).text_secondary}")
        self._write()

    def retranslate(self) -> None:
        """Speak the language of now."""
        self.setAccessibleName(self.tr("Your message"))
        self.queue_label.setText(self.tr("Queued"))
        self.remove_button.set_words("", self.tr("Remove this message"))
        self.more_button.set_words(self.tr("Show all"), self.tr("Show the whole message"))

    def _lay_out(self) -> None:
        inside = QVBoxLayout(self._bubble)
        # Qt puts what a line is higher than its font below it.
        inside.setContentsMargins(SPACE_L, SPACE_M - 1, SPACE_L, SPACE_M - 6)
        inside.setSpacing(SPACE_XS)
        inside.addWidget(self.pane)
        inside.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        below = QHBoxLayout()
        below.setSpacing(SPACE_XS)
        below.addStretch(1)
        below.addWidget(self.queue_label)
        below.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(RING_PX, RING_PX, RING_PX, RING_PX)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.thumbnails)
        layout.addWidget(self.task)
        layout.addWidget(self._bubble, 0, Qt.AlignmentFlag.AlignRight)
        layout.addLayout(below)

    def _write(self) -> None:
        text = clean_markdown(self._text if self._is_whole else self._beginning)
        char_format = QTextCharFormat()
        char_format.setFont(typography().body)
        char_format.setForeground(QColor(colors_of(self).text))
        block_format = QTextBlockFormat()
        block_format.setLineHeight(
            _LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
        )
        cursor = QTextCursor(self.pane.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.beginEditBlock()
        cursor.removeSelectedText()
        cursor.setBlockFormat(block_format)
        cursor.insertText(text, char_format)
        cursor.endEditBlock()

    def _on_more(self) -> None:
        self._is_whole = True
        self.more_button.hide()
        self._write()
        self.set_width(self.width())


def _fade(widget: QWidget) -> None:
    effect = QGraphicsOpacityEffect(widget)
    effect.setOpacity(0.55)
    widget.setGraphicsEffect(effect)


def _beginning(text: str) -> str:
    lines = text.split("\n")
    cut = "\n".join(lines[:_SHOWN_LINES])[:_SHOWN_LENGTH]
    # A few words more are shown rather than hidden behind a button.
    return text if len(text) - len(cut) < 200 and len(lines) - _SHOWN_LINES < 6 else cut.rstrip() + " …"
