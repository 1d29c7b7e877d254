"""Which pages or seconds of a file go along, and how finely: a small form above its card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktopapp.engine.media.selection import DEFAULT_DPI, DEFAULT_FPS, MediaSelection
from desktopapp.engine.media.selection_text import format_time, parse_pages, parse_time
from desktopapp.ui.check_box import CheckBox
from desktopapp.ui.choice_box import ChoiceBox
from desktopapp.ui.media.filmstrip import Filmstrip
from desktopapp.ui.theme import set_style_property
from desktopapp.ui.tokens import SPACE_L, SPACE_M, SPACE_S
from desktopapp.ui.wording import file_label, format_number

if TYPE_CHECKING:
    from desktopapp.engine.price_events import AttachmentPrice, PlannedAttachment

_REST_MS = 350
_DPIS = (72, DEFAULT_DPI, 200)
_RATES = (0.5, DEFAULT_FPS, 4.0)


class SelectionPopup(QFrame):
    """Closes on a click elsewhere or Esc; what is chosen counts at once.

    Args:
        price: of the file, which says what it is.
        selection: what is chosen now.
        parent: the card.

    Signals:
        changed: another `MediaSelection`; comes when the person rests.
    """

    changed = Signal(object)

    def __init__(self, price: AttachmentPrice, selection: MediaSelection, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self._price = price
        self._selection = selection
        self._planned_tokens: int | None = None
        self._anchor = parent
        self.filmstrip: Filmstrip | None = None
        self._timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._timer.timeout.connect(self._tell)
        self._cost = QLabel(self)
        self._cost.setProperty("role", "secondary")
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(SPACE_M)
        self._rows.setVerticalSpacing(SPACE_S)
        title = QLabel(file_label(price.path), self)
        title.setProperty("role", "title")
        title.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(title)
        if self._is_locked:
            self._add_password()
        elif price.kind == "video":
            self._add_video(layout)
        else:
            self._add_document()
        layout.addLayout(self._rows)
        layout.addWidget(self._cost)
        self.show_price(price)

    def open_above(self, anchor: QWidget) -> None:
        """Show it above a widget, where there is room inside the window."""
        self._anchor = anchor
        self._place()
        self.show()
        first = self.focusWidget() or self.findChild(QLineEdit)
        if first is not None:
            first.setFocus()

    def _place(self) -> None:
        """As large as it has to be, above its card."""
        anchor = self._anchor
        self.adjustSize()
        place = anchor.mapToGlobal(QPoint(0, -self.height() - SPACE_S))
        window = anchor.window().geometry().adjusted(SPACE_L, SPACE_L, -SPACE_L, -SPACE_L)
        left = max(window.left(), min(place.x(), window.right() - self.width()))
        self.move(left, max(place.y(), anchor.screen().availableGeometry().top()))

    def show_price(self, price: AttachmentPrice) -> None:
        """Show what the chosen part costs."""
        was_locked, self._price = self._is_locked, price
        if was_locked and price.failed is None:
            self.close()  # the password was right
            return
        self._show_cost()

    def show_planned(self, planned: PlannedAttachment | None) -> None:
        """Show what a plan for the model of now makes of it; None goes back to the price."""
        self._planned_tokens = planned.tokens if planned is not None else None
        self._show_cost()

    def show_frame(self, position_s: float, image: QImage) -> None:
        """A frame of the filmstrip has come."""
        if self.filmstrip is not None:
            self.filmstrip.show_frame(position_s, image)

    def _show_cost(self) -> None:
        price = self._price
        if price.failed is not None:
            is_wrong = self._is_locked and bool(self._selection.password)
            self._cost.setText(self.tr("This password does not open it.") if is_wrong else "")
            self._cost.setVisible(is_wrong)
            if is_wrong:
                set_style_property(self._password, "wrong", True)
                self._password.selectAll()
                self._place()
            return
        count = price.tokens if self._planned_tokens is None else self._planned_tokens
        tokens = self.tr("{count} tokens").format(count=format_number(count))
        frames = self.tr("{count} frames").format(count=format_number(price.frames))
        self._cost.setText(" · ".join([frames, tokens] if price.frames else [tokens]))

    @property
    def _is_locked(self) -> bool:
        return self._price.failed is not None and self._price.failed.error == "DocumentLocked"

    def _add_password(self) -> None:
        self._password = QLineEdit(self)
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._add_row(self.tr("Password"), self._password)
        self._password.returnPressed.connect(self._on_password)

    def _add_document(self) -> None:
        selection = self._selection
        self._pages = QLineEdit(_range_text(selection), self)
        every = self.tr("all {count}").format(count=format_number(self._price.pages))
        self._pages.setPlaceholderText(every)
        self._pages.textEdited.connect(self._on_pages)
        self._add_row(self.tr("Pages"), self._pages)
        names = (self.tr("Coarse, few tokens"), self.tr("Normal"), self.tr("Fine, for small print"))
        self._dpi = self._add_choice(self.tr("Sharpness"), names, _DPIS, selection.dpi or DEFAULT_DPI)
        self._text = self._add_check(self.tr("Give the pages' own text as well"), selection.page_text)

    def _add_video(self, layout: QVBoxLayout) -> None:
        selection, duration_s = self._selection, self._price.duration_s
        end_s = duration_s if selection.end_s is None else selection.end_s
        self.filmstrip = Filmstrip(duration_s, self)
        self.filmstrip.setAccessibleName(self.tr("Part of the video"))
        self.filmstrip.set_range(selection.start_s, end_s)
        self.filmstrip.moved.connect(self._on_handles)
        layout.addWidget(self.filmstrip)
        self._start, self._end = QLineEdit(self), QLineEdit(self)
        times = QHBoxLayout()
        times.addWidget(self._start)
        times.addWidget(QLabel("–", self))
        times.addWidget(self._end)
        self._show_times()
        for edit in (self._start, self._end):
            edit.textEdited.connect(self._on_times)
        self._rows.addWidget(QLabel(self.tr("From, to"), self), self._rows.rowCount(), 0)
        self._rows.addLayout(times, self._rows.rowCount() - 1, 1)
        names = (
            self.tr("Few, one in two seconds"),
            self.tr("Normal, two a second"),
            self.tr("Many, four a second"),
        )
        self._rate = self._add_choice(self.tr("Frames"), names, _RATES, selection.fps)
        self._merge = self._add_check(self.tr("Leave out frames that hardly change"), selection.merge_still)

    def _add_row(self, name: str, field: QWidget) -> None:
        row = self._rows.rowCount()
        label = QLabel(name, self)
        label.setBuddy(field)
        field.setAccessibleName(name)
        self._rows.addWidget(label, row, 0)
        self._rows.addWidget(field, row, 1)

    def _add_choice(
        self, name: str, names: tuple[str, ...], values: tuple[float, ...], value: float
    ) -> ChoiceBox:
        box = ChoiceBox(self)
        for text, data in zip(names, values, strict=True):
            box.addItem(text, data)
        box.setCurrentIndex(min(range(len(values)), key=lambda index: abs(values[index] - value)))
        box.currentIndexChanged.connect(self._timer.start)
        self._add_row(name, box)
        return box

    def _add_check(self, name: str, checked: bool) -> CheckBox:
        box = CheckBox(name, self)
        box.setChecked(checked)
        box.toggled.connect(self._timer.start)
        self._rows.addWidget(box, self._rows.rowCount(), 1)
        return box

    def _on_password(self) -> None:
        """Try it; the form closes when the file opens."""
        if not self._password.text():
            self.close()
        elif self._password.text() != self._selection.password:
            set_style_property(self._password, "wrong", False)
            self._tell()

    def _on_pages(self, text: str) -> None:
        set_style_property(self._pages, "wrong", parse_pages(text, self._price.pages) is None)
        self._timer.start()

    def _on_handles(self, _start_s: float, _end_s: float) -> None:
        self._show_times()
        self._timer.start()

    def _on_times(self) -> None:
        start_s, end_s = (parse_time(edit.text()) for edit in (self._start, self._end))
        is_range = start_s is not None and end_s is not None and start_s <= end_s
        for edit in (self._start, self._end):
            set_style_property(edit, "wrong", not is_range)
        if self.filmstrip is not None and start_s is not None and end_s is not None and is_range:
            self.filmstrip.set_range(start_s, end_s)
            self._timer.start()

    def _show_times(self) -> None:
        if self.filmstrip is not None:
            for edit, second in zip((self._start, self._end), self.filmstrip.range_s, strict=True):
                edit.setText(format_time(second))

    def _tell(self) -> None:
        chosen = self._chosen()
        if chosen != self._selection:
            self._selection = chosen
            self.changed.emit(chosen)

    def _chosen(self) -> MediaSelection:
        if self._is_locked:
            return replace(self._selection, password=self._password.text())
        if self.filmstrip is not None:
            start_s, end_s = self.filmstrip.range_s
            is_whole_end = end_s >= self._price.duration_s - 0.05
            return replace(
                self._selection,
                start_s=round(start_s, 2),
                end_s=None if is_whole_end else round(end_s, 2),
                fps=float(self._rate.currentData()),
                merge_still=self._merge.isChecked(),
            )
        pages = parse_pages(self._pages.text(), self._price.pages)
        first, last = pages or (self._selection.first_page, self._selection.last_page)
        dpi = int(self._dpi.currentData())
        return replace(
            self._selection,
            first_page=first,
            last_page=last,
            dpi=None if dpi == DEFAULT_DPI else dpi,
            page_text=self._text.isChecked(),
        )


def _range_text(selection: MediaSelection) -> str:
    first, last = selection.first_page, selection.last_page
    if last is None:
        return "" if first == 1 else f"{first}-"
    return str(first) if first == last else f"{first}-{last}"
