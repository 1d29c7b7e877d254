"""One attachment of the next message: thumbnail, name, size, price, Remove, and which part of it goes along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.media.selection_text import format_time
from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change, set_style_property
from desktopapp.ui.tokens import RADIUS_S, SPACE_S
from desktopapp.ui.wording import (
    file_label,
    format_memory_size,
    format_number,
    format_size,
    tooltip_text,
    translate_error,
)

if TYPE_CHECKING:
    from desktopapp.engine.price_events import AttachmentPrice, PlannedAttachment
    from desktopapp.ui.media.selection_popup import SelectionPopup

_THUMBNAIL_SIDE = 48
_CARD_WIDTH = 256
CARD_HEIGHT = 64
_LINE_SEPARATOR = "\u2028"


class AttachmentCard(QFrame):
    """One attachment.

    Args:
        path: absolute path of the file.
        on_remove: called with this card when the person removes it.
        parent: of the widget.
        selection: which part of the file goes along.

    Signals:
        problem_changed: whether or why it cannot be used may have changed.
        selection_changed: the person chose another part.
        frames_wanted: seconds (`tuple[float, ...]`) whose frames the open filmstrip shows.
    """

    selection_changed = Signal()
    problem_changed = Signal()
    frames_wanted = Signal(object)

    def __init__(
        self,
        path: str,
        on_remove: Callable[[AttachmentCard], None],
        parent: QWidget,
        selection: MediaSelection = WHOLE,
    ) -> None:
        super().__init__(parent)
        self.path = path
        self.selection = selection
        self._popup: SelectionPopup | None = None
        self._on_remove = on_remove
        self._size_bytes: int | None = None
        self._price: AttachmentPrice | None = None
        self._planned: PlannedAttachment | None = None
        self._problem = ""
        self._refused: tuple[str, tuple[int, int] | None] | None = None
        self._image: QImage | None = None
        self.setObjectName("attachmentCard")
        self.setFixedSize(_CARD_WIDTH, CARD_HEIGHT)
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
        if self._popup is not None:
            self._popup.show_price(price)
        problem = translate_error(price.failed)[0] if price.failed else ""
        if not problem and self._refused is not None and self._refused[1] == file_stamp(self.path):
            problem = self._refused[0]  # its header is sound, which is all that a price looks at
        self.show_problem(problem)

    def show_planned(self, planned: PlannedAttachment | None) -> None:
        """Show what a plan makes of it, its bytes included; None goes back to what its header tells."""
        if planned != self._planned:
            self._planned = planned
            if self._popup is not None:
                self._popup.show_planned(planned)
            self._retranslate()

    def show_refused(self, problem: str) -> None:
        """Mark the attachment as unusable until the file is another one: it was found only when it was read."""
        self._refused = problem, file_stamp(self.path)
        self.show_problem(problem)

    def show_problem(self, problem: str) -> None:
        """Mark the attachment as unusable and say why; empty takes the mark away."""
        self._problem = problem
        set_style_property(self, "broken", bool(problem))
        self._repaint_thumbnail()
        self._retranslate()
        self.problem_changed.emit()

    def show_frame(self, position_s: float, image: QImage) -> None:
        """A frame of the filmstrip has come."""
        if self._popup is not None:
            self._popup.show_frame(position_s, image)

    def choose_part(self) -> None:
        """Open the form in which pages or seconds are chosen."""
        if self._price is None:
            return
        # It is rarely needed, and Qt's classes for forms are made when they are first named.
        from desktopapp.ui.media.selection_popup import SelectionPopup

        popup = self._popup = SelectionPopup(self._price, self.selection, self)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.changed.connect(self.choose)
        popup.destroyed.connect(self._forget_popup)
        popup.show_planned(self._planned)
        popup.open_above(self)
        if popup.filmstrip is not None:
            self.frames_wanted.emit(popup.filmstrip.positions)

    def choose(self, selection: MediaSelection) -> None:
        """Let another part of the file go along, or all of it in another way."""
        if selection == self.selection:
            return
        self.selection = selection
        self._retranslate()
        self.selection_changed.emit()

    def _forget_popup(self) -> None:
        self._popup = None

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
        self._adjust = QToolButton(self)
        self._adjust.setProperty("role", "quiet")
        self._adjust.setProperty("shape", "small")
        self._adjust.setIconSize(QSize(14, 14))
        self._adjust.clicked.connect(self.choose_part)
        self._adjust.hide()
        buttons = QVBoxLayout()
        buttons.setSpacing(0)
        buttons.addWidget(self._remove)
        buttons.addWidget(self._adjust)
        buttons.addStretch()
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
        layout.addLayout(buttons)
        self._repaint_thumbnail()

    def _repaint_thumbnail(self) -> None:
        colors = colors_of(self)
        self._remove.setIcon(tinted_icon("close", colors.text_secondary, size=14))
        self._adjust.setIcon(tinted_icon("adjust", colors.text_secondary, size=14))
        if self._problem or self._image is None:
            name, tint = ("warning", colors.danger) if self._problem else (self._glyph, colors.text_secondary)
            self._thumbnail.setPixmap(
                tinted_icon(name, tint, size=24).pixmap(QSize(24, 24), self.devicePixelRatio())
            )
            return
        self._thumbnail.setPixmap(_square(self._image, _THUMBNAIL_SIDE, self.devicePixelRatio()))

    def _retranslate(self) -> None:
        name = file_label(self.path)
        facts = self._facts()
        details = self._problem or " · ".join(reversed(facts))
        self._name.set_full_text(name)
        self._name.setToolTip(tooltip_text(self.path))
        set_style_property(self._details, "role", "danger" if self._problem else "secondary")
        self._details.set_full_text(self._short(self._problem) or _LINE_SEPARATOR.join(facts))
        self._details.setToolTip(tooltip_text(details))
        self.setAccessibleName(self.tr("Attachment {name}").format(name=name))
        self.setAccessibleDescription(details)
        self._remove.setAccessibleName(self.tr("Remove {name}").format(name=name))
        self._remove.setToolTip(self.tr("Remove"))
        self._adjust.setVisible(self._is_adjustable)
        what = self.tr("Enter password") if self._is_locked else self.tr("Choose pages or seconds")
        self._adjust.setToolTip(what)
        self._adjust.setAccessibleName(f"{what}: {name}")

    @property
    def _is_locked(self) -> bool:
        failed = self._price.failed if self._price is not None else None
        return failed is not None and failed.error == "DocumentLocked"

    @property
    def _is_adjustable(self) -> bool:
        """Whether there is something to choose of it."""
        return self._is_locked or (
            self._price is not None and self._price.failed is None and self._price.kind != "picture"
        )

    @property
    def _glyph(self) -> str:
        icons = {"video": "video", "document": "document"}
        return icons.get(self._price.kind, "image") if self._price is not None else "image"

    def _part(self, price: AttachmentPrice) -> str:
        """How much of a document or video goes along; empty for a picture."""
        if price.kind == "document":
            last = price.pages if self.selection.last_page is None else self.selection.last_page
            count = last - self.selection.first_page + 1
            shown, pages = format_number(count), format_number(price.pages)
            if price.pages == 1:
                return self.tr("1 page")
            if count == price.pages:
                return self.tr("{count} pages").format(count=pages)
            return self.tr("{count} of {pages} pages").format(count=shown, pages=pages)
        if price.kind == "video":
            frames = self.tr("{count} frames").format(count=format_number(price.frames))
            return f"{format_time(round(price.duration_s))} · {frames}"
        return ""

    def _facts(self) -> list[str]:
        """Two lines: what it costs; which part of it goes along, and the size of the file."""
        price = self._price if self._price is not None and self._price.failed is None else None
        cost = ""
        if self._planned is not None:
            cost = self.tr("{count} tokens, + {memory}").format(
                count=format_number(self._planned.tokens), memory=format_memory_size(self._planned.bytes)
            )
        elif price is not None:
            cost = self.tr("{count} tokens").format(count=format_number(price.tokens))
        file = [self._part(price)] if price is not None else []
        if self._size_bytes is not None:
            file.append(format_size(self._size_bytes))
        lines = [cost, " · ".join(part for part in file if part)]
        return [line for line in lines if line] or [self.tr("Reading …")]

    def _short(self, details: str) -> str:
        """The details without the file's name, which stands above them."""
        return details.removeprefix(f"“{file_label(self.path)}”").lstrip()


def file_stamp(path: str) -> tuple[int, int] | None:
    """Size and time of change of a file; None where it cannot be looked at."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


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
