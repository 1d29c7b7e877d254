"""What goes with the next message: a row of cards with thumbnail, name, size, price, and Remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPixmap, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import RADIUS_S, SPACE_S
from desktopapp.ui.wording import file_label, format_number, format_size, tooltip_text, translate_error

if TYPE_CHECKING:
    from desktopapp.engine.events import AttachmentPrice

_THUMBNAIL_SIDE = 48
_CARD_WIDTH = 232
_CARD_HEIGHT = 64


class AttachmentCard(QFrame):
    """One attachment.

    Args:
        path: absolute path of the file.
        on_remove: called with this card when the person removes it.
        parent: of the widget.
    """

    def __init__(self, path: str, on_remove: Callable[[AttachmentCard], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.path = path
        self._on_remove = on_remove
        self._size_bytes: int | None = None
        self._price: AttachmentPrice | None = None
        self._problem = ""
        self._image: QImage | None = None
        self.setObjectName("attachmentCard")
        self.setFixedSize(_CARD_WIDTH, _CARD_HEIGHT)
        self._build()
        self._retranslate()

    @property
    def problem(self) -> str:
        """Why this attachment cannot be used, or empty."""
        return self._problem

    def show_thumbnail(self, image: QImage) -> None:
        """Show the picture, cut to a square."""
        self._image = image
        self._repaint_thumbnail()

    def show_size(self, size_bytes: int | None) -> None:
        """Show the file's size; None for one that is still being written or is gone."""
        self._size_bytes = size_bytes
        self._retranslate()

    def show_price(self, price: AttachmentPrice) -> None:
        """Show what it costs, or why it cannot be used."""
        self._price = price
        self.show_problem(translate_error(price.failed)[0] if price.failed else "")

    def show_problem(self, problem: str) -> None:
        """Mark the attachment as unusable and say why; empty takes the mark away."""
        self._problem = problem
        self.setProperty("broken", bool(problem))
        self.style().unpolish(self)
        self.style().polish(self)
        self._repaint_thumbnail()
        self._retranslate()

    def focus_remove(self) -> None:
        """Give the keyboard to the card's Remove button."""
        self._remove.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._repaint_thumbnail()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._on_remove(self)
            return
        super().keyPressEvent(event)

    def _build(self) -> None:
        self._thumbnail = QLabel(self)
        self._thumbnail.setFixedSize(_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
        self._thumbnail.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._details = ElidedLabel(self, lines=2)
        self._remove = QToolButton(self)
        self._remove.setProperty("role", "quiet")
        self._remove.setProperty("shape", "small")
        self._remove.setIconSize(QSize(14, 14))
        self._remove.clicked.connect(lambda: self._on_remove(self))
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addStretch()
        texts.addWidget(self._name)
        texts.addWidget(self._details)
        texts.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_S - 1, SPACE_S - 1, 4, SPACE_S - 1)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._thumbnail)
        layout.addLayout(texts, 1)
        layout.addWidget(self._remove, 0, Qt.AlignmentFlag.AlignTop)
        self._repaint_thumbnail()

    def _repaint_thumbnail(self) -> None:
        colors = colors_of(self)
        self._remove.setIcon(tinted_icon("close", colors.text_secondary, size=14))
        if self._problem or self._image is None:
            name, tint = ("warning", colors.danger) if self._problem else ("image", colors.text_secondary)
            self._thumbnail.setPixmap(
                tinted_icon(name, tint, size=24).pixmap(QSize(24, 24), self.devicePixelRatio())
            )
            return
        self._thumbnail.setPixmap(_square(self._image, _THUMBNAIL_SIDE, self.devicePixelRatio()))

    def _retranslate(self) -> None:
        name = file_label(self.path)
        details = self._problem or self._facts()
        self._name.set_full_text(name)
        self._name.setToolTip(tooltip_text(self.path))
        self._details.setProperty("role", "danger" if self._problem else "secondary")
        self._details.style().unpolish(self._details)
        self._details.style().polish(self._details)
        self._details.set_full_text(self._short(details))
        self._details.setToolTip(tooltip_text(details))
        self.setAccessibleName(self.tr("Attachment {name}").format(name=name))
        self.setAccessibleDescription(details)
        self._remove.setAccessibleName(self.tr("Remove {name}").format(name=name))
        self._remove.setToolTip(self.tr("Remove"))

    def _facts(self) -> str:
        facts = []
        if self._size_bytes is not None:
            facts.append(format_size(self._size_bytes))
        if self._price is not None and self._price.failed is None:
            facts.append(self.tr("{count} tokens").format(count=format_number(self._price.tokens)))
        return " · ".join(facts) or self.tr("Reading …")

    def _short(self, details: str) -> str:
        """The details without the file's name, which stands above them."""
        return details.removeprefix(f"“{file_label(self.path)}”").lstrip()


class AttachmentStrip(QScrollArea):
    """The cards in order, scrolled sideways when they are many. Hidden while there are none.

    Signals:
        changed: attachments were added or removed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[AttachmentCard] = []
        self._has_new = False
        self.setObjectName("attachmentStrip")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._row = QWidget(self)
        self._layout = QHBoxLayout(self._row)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_S)
        self._layout.addStretch()
        self.setWidget(self._row)
        self.setFixedHeight(_CARD_HEIGHT + 14)
        self.horizontalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.hide()

    @property
    def paths(self) -> tuple[str, ...]:
        """What is attached, in order."""
        return tuple(card.path for card in self._cards)

    @property
    def cards(self) -> tuple[AttachmentCard, ...]:
        """The cards, in order."""
        return tuple(self._cards)

    def add(self, path: str) -> bool:
        """Attach a file; False where it is attached already."""
        if path in self.paths:
            return False
        card = AttachmentCard(path, self._remove, self._row)
        self._cards.append(card)
        self._layout.insertWidget(len(self._cards) - 1, card)
        self._has_new = True
        self.show()
        self.changed.emit()
        return True

    def remove(self, path: str) -> None:
        """Take an attachment away; without effect where it is not attached."""
        card = self.card(path)
        if card:
            self._remove(card)

    def clear(self) -> None:
        """Take all away."""
        for card in self._cards:
            self._discard(card)
        self._cards.clear()
        self.hide()
        self.changed.emit()

    def card(self, path: str) -> AttachmentCard | None:
        """The card of a file, if it is attached."""
        return next((card for card in self._cards if card.path == path), None)

    def reveal(self, path: str) -> None:
        """Scroll an attachment into view; without effect where it is not attached."""
        card = self.card(path)
        if card is not None:
            self.ensureWidgetVisible(card, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A plain mouse wheel scrolls sideways: there is no other way to scroll here."""
        turn = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (turn.x() or turn.y()))
        event.accept()

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        # A new card has its place only now.
        if self._has_new:
            self._has_new = False
            self.horizontalScrollBar().setValue(maximum)

    def _remove(self, card: AttachmentCard) -> None:
        index = self._cards.index(card)
        focused = QApplication.focusWidget()
        had_focus = focused is not None and card.isAncestorOf(focused)
        self._cards.remove(card)
        self._discard(card)
        if not self._cards:
            self.hide()
        elif had_focus:
            self._cards[min(index, len(self._cards) - 1)].focus_remove()
        self.changed.emit()

    def _discard(self, card: AttachmentCard) -> None:
        self._layout.removeWidget(card)
        card.hide()
        card.deleteLater()


def _square(image: QImage, side: int, ratio: float) -> QPixmap:
    """The middle of a picture as a sharp square with round corners."""
    pixels = round(side * ratio)
    scaled = image.scaled(
        pixels,
        pixels,
        Qt.AspectRatioMode.KeepAspectRatioByExpanding,
        Qt.TransformationMode.SmoothTransformation,
    )
    left, top = (scaled.width() - pixels) // 2, (scaled.height() - pixels) // 2
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rounded = QPainterPath()
    rounded.addRoundedRect(0, 0, pixels, pixels, RADIUS_S * ratio, RADIUS_S * ratio)
    painter.setClipPath(rounded)
    painter.drawImage(-left, -top, scaled)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
