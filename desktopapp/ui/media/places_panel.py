"""What an answer points at, beside its words: the picture with boxes, or the video's frames, and a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSaveFile, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QImageWriter, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.engine.grounding.export import to_coco, to_json
from desktopapp.engine.grounding.places import Place
from desktopapp.engine.media.selection_text import format_time
from desktopapp.ui.choice_box import ChoiceBox
from desktopapp.ui.media.groups import Group
from desktopapp.ui.media.places_canvas import PlacesCanvas
from desktopapp.ui.media.previews import to_image
from desktopapp.ui.media.video_bar import SIDE_PX as PLAYED_SIDE_PX
from desktopapp.ui.media.video_bar import VideoBar
from desktopapp.ui.tokens import SPACE_M, SPACE_S
from desktopapp.ui.wording import file_label

if TYPE_CHECKING:
    from desktopapp.engine.events import PreviewRead

SIDE_PX = 2048
"""Longest side of a picture that is shown: it can be zoomed into and cut out of."""
_MOST_KEPT = 12
_SEEK_MS = 60
_LIST_WIDTH, _MOST_HEIGHT, _LEAST_HEIGHT = 220, 460, 120


class PlacesPanel(QFrame):
    """One picture, page or video at a time; a box chooses where there are several.

    Signals:
        preview_wanted: `Attachment`, positions, longest side in pixels.
    """

    preview_wanted = Signal(object, object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._groups: Sequence[Group] = ()
        self._index = 0
        self._previews: dict[tuple[str, float], QImage] = {}
        self._durations_s: dict[str, float] = {}
        self._full_size = (0, 0)
        self._shown_path = ""
        self._was_sought = False
        """The person looks at a second of their own choice."""
        self._width_px = 600
        self._choice = ChoiceBox(self)
        self._choice.currentIndexChanged.connect(self._on_group_chosen)
        self.canvas = PlacesCanvas(self)
        self.video_bar = VideoBar(self)
        self.track = self.video_bar.track
        self.list = QListWidget(self)
        self.list.setObjectName("placesList")
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._source = ""
        self._copy, self._save = QPushButton(self), QPushButton(self)
        self.document_button = QPushButton(self)
        self.document_button.hide()
        self._unsaved = QLabel(self)
        self._unsaved.setWordWrap(True)
        self._unsaved.hide()
        self._menu = QMenu(self._save)
        self._save.setMenu(self._menu)
        self._seek_timer = QTimer(self, singleShot=True, interval=_SEEK_MS)
        self._seek_timer.timeout.connect(self._want_preview)
        self._build()
        self._connect()
        self.retranslate()

    @property
    def group(self) -> Group:
        """What is shown."""
        return self._groups[self._index]

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show what the answer names so far; what was looked at stays where it is still there.

        Args:
            groups: at least one.
        """
        shown = (self.group.attachment.path, self.group.position) if self._groups else None
        self._groups = groups
        keys = [(group.attachment.path, group.position) for group in groups]
        self._index = keys.index(shown) if shown in keys else 0
        self._choice.blockSignals(True)
        self._choice.clear()
        self._choice.addItems([self._name(group) for group in groups])
        self._choice.setCurrentIndex(self._index)
        self._choice.blockSignals(False)
        self._choice.setVisible(len(groups) > 1)
        self._show_group(is_other=keys[self._index] != shown)

    def show_document(self, source: str) -> None:
        """Offer the page that the answer wrote as HTML; empty for none."""
        self._source = source
        self.document_button.setVisible(bool(source))

    def seek(self, second: float) -> None:
        """Show a second of the video; without effect where there is none."""
        index = next((number for number, group in enumerate(self._groups) if group.kind == "video"), None)
        if index is None:
            return
        if index != self._index:
            self._choice.setCurrentIndex(index)
        self._seek(second)

    def show_preview(self, preview: PreviewRead) -> None:
        """A picture came from the engine."""
        image = to_image(preview)
        if image.isNull() or max(image.width(), image.height()) <= 200 < max(
            preview.full_width, preview.full_height
        ):
            return  # a thumbnail or a frame of a filmstrip
        if preview.path == self.group.attachment.path and self.video_bar.take(preview.position, image):
            return
        self._previews[preview.path, preview.position] = image
        while len(self._previews) > _MOST_KEPT:  # whoever drags along a video sees hundreds
            del self._previews[next(iter(self._previews))]
        if (preview.path, preview.position) == self._wanted():
            self._full_size = preview.full_width, preview.full_height
            self._shown_path = preview.path
            self.canvas.show_image(image)
            self._fit()
            if preview.duration_s:
                self._durations_s[preview.path] = preview.duration_s
                self.track.show_moments(self.group.moments, preview.duration_s)

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        self._width_px = width_px
        self.setFixedWidth(width_px)
        self._fit()

    def retranslate(self) -> None:
        """Speak the language of now."""
        self._copy.setText(self.tr("Copy crop"))
        self._save.setText(self.tr("Save"))
        self.document_button.setText(self.tr("Show as a document"))
        self._choice.setAccessibleName(self.tr("Picture"))
        self.canvas.setAccessibleName(self.tr("Picture with marks"))
        self.canvas.setToolTip(self.tr("Ctrl and the wheel zoom, a double click as well; drag to move"))
        self.video_bar.retranslate()
        self.list.setAccessibleName(self.tr("What the answer points at"))
        self._menu.clear()
        self._menu.addAction(self.tr("Picture with marks …"), self._save_picture)
        self._menu.addAction(self.tr("JSON …"), lambda: self._save_text("json"))
        self._menu.addAction(self.tr("COCO annotations …"), lambda: self._save_text("coco"))

    def _build(self) -> None:
        self.list.setFixedWidth(_LIST_WIDTH)
        left = QVBoxLayout()
        left.setSpacing(SPACE_S)
        left.addWidget(self.canvas)
        left.addWidget(self.video_bar)
        right = QVBoxLayout()
        right.setSpacing(SPACE_S)
        right.addWidget(self._choice)
        right.addWidget(self.list, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(self._save)
        buttons.addStretch()
        right.addLayout(buttons)
        right.addWidget(self._unsaved)
        right.addWidget(self.document_button)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_M)
        layout.addLayout(left, 1)
        layout.addLayout(right)

    def _connect(self) -> None:
        self.canvas.hovered.connect(self._on_canvas_hovered)
        self.canvas.chosen.connect(self.list.setCurrentRow)
        self.list.itemEntered.connect(lambda item: self._highlight(self.list.row(item)))
        self.list.currentRowChanged.connect(self._on_row_changed)
        self.list.itemClicked.connect(lambda item: self._on_row_changed(self.list.row(item)))
        self.track.sought.connect(self._on_sought)
        self.video_bar.frames_wanted.connect(self._on_frames_wanted)
        self.video_bar.played.connect(self._on_played)
        self._copy.clicked.connect(self._copy_crop)
        self.document_button.clicked.connect(self._open_document)

    def _name(self, group: Group) -> str:
        name = file_label(group.attachment.path)
        if group.kind == "document":
            return self.tr("Page {number} of {name}").format(number=group.number, name=name)
        return name

    def _show_group(self, *, is_other: bool) -> None:
        group, is_video = self.group, self.group.kind == "video"
        self.video_bar.setVisible(is_video)
        if is_video:
            self.track.show_moments(group.moments, self._durations_s.get(group.attachment.path, 0.0))
            first_s = group.moments[0].start_s if group.moments else self.track.now_s
            # While the answer streams its first time may still grow: 0:04 becomes 0:04.6.
            if (is_other or not self._was_sought) and first_s != self.track.now_s:
                self.track.set_now(first_s)
                is_other = True
        self._copy.setVisible(bool(group.places))
        self._save.setVisible(bool(group.places))
        self._fill_list()
        self._show_places()
        if is_other:
            self._want_preview()

    def _fill_list(self) -> None:
        row = self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        self.canvas.show_places(self.group.places)
        for moment in self.group.moments:
            end = f" – {format_time(moment.end_s)}" if moment.end_s is not None else ""
            self.list.addItem(f"{format_time(moment.start_s)}{end}  {moment.label}".rstrip())
        for number, place in enumerate(self.group.places, 1):
            time = f"{format_time(place.time_s)}  " if place.time_s is not None else ""
            item = QListWidgetItem(_swatch(self.canvas.color(place)), f"{time}{place.caption or number}")
            self.list.addItem(item)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)

    def _wanted(self) -> tuple[str, float]:
        group = self.group
        position = round(self.track.now_s, 2) if group.kind == "video" else group.position
        # A preview at 0 would be a thumbnail.
        return group.attachment.path, position or 0.001

    def _want_preview(self) -> None:
        wanted = self._wanted()
        known = self._previews.get(wanted)
        if known is not None:
            self._shown_path = wanted[0]
            self.canvas.show_image(known)
            self._fit()
            return
        if self._shown_path != wanted[0] or self.group.kind != "video":
            # Marks must not lie over another picture, not even until theirs has come.
            self.canvas.show_image(QImage())
        self.preview_wanted.emit(self.group.attachment, (wanted[1],), SIDE_PX)

    def _show_places(self) -> None:
        """Of a video those of the second that is shown, with a second's tolerance."""
        places = self.group.places
        if self.group.kind == "video":
            now_s = self.track.now_s
            places = [p for p in places if p.time_s is None or abs(p.time_s - now_s) <= 1.0]
        self.canvas.show_places(places)

    def _on_sought(self, _second: float) -> None:
        self._was_sought = True
        self._seek_timer.start()

    def _on_frames_wanted(self, seconds: tuple[float, ...]) -> None:
        self._was_sought = True
        self.preview_wanted.emit(self.group.attachment, seconds, PLAYED_SIDE_PX)

    def _on_played(self, image: QImage) -> None:
        self.canvas.show_image(image)
        self._fit()
        self._show_places()

    def _on_group_chosen(self, index: int) -> None:
        if 0 <= index < len(self._groups):
            self.video_bar.stop()
            self._index, self._was_sought = index, False
            self._show_group(is_other=True)

    def _on_row_changed(self, row: int) -> None:
        moments = self.group.moments
        if 0 <= row < len(moments):
            self._seek(moments[row].start_s)
            return
        place = self._place_of_row(row)
        if place is not None and self.group.kind == "video" and place.time_s is not None:
            self._seek(place.time_s)
        self._highlight(row)

    def _seek(self, second: float) -> None:
        self._was_sought = True
        self.video_bar.stop()
        self.track.set_now(second)
        self._show_places()
        self._want_preview()

    def _highlight(self, row: int) -> None:
        place = self._place_of_row(row)
        drawn = list(self.canvas.places)
        self.canvas.highlight(drawn.index(place) if place in drawn else -1)

    def _place_of_row(self, row: int) -> Place | None:
        index = row - len(self.group.moments)
        return self.group.places[index] if 0 <= index < len(self.group.places) else None

    def _on_canvas_hovered(self, index: int) -> None:
        if index < 0:
            self.list.clearSelection()
            return
        place = self.canvas.places[index]
        row = len(self.group.moments) + self.group.places.index(place)
        self.list.item(row).setSelected(True)
        self.list.scrollToItem(self.list.item(row))

    def _open_document(self) -> None:
        from desktopapp.ui.media.document_view import DocumentView

        DocumentView(self.canvas.image, self.group.places, self._source, self).open()

    def _copy_crop(self) -> None:
        place = self._place_of_row(self.list.currentRow())
        drawn = list(self.canvas.places)
        boxes = [one for one in drawn if one.is_box]
        chosen = place if place in boxes else boxes[0] if boxes else None
        if chosen is not None:
            QApplication.clipboard().setImage(self.canvas.crop(drawn.index(chosen)))

    def _save_picture(self) -> None:
        path = self._ask_path(".png", self.tr("PNG pictures (*.png)"))
        if path:
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            QImageWriter(buffer, QByteArray(b"png")).write(self.canvas.annotated())
            self._write(path, bytes(buffer.data().data()))

    def _save_text(self, form: str) -> None:
        path = self._ask_path(f".{form}.json", self.tr("JSON files (*.json)"))
        if not path:
            return
        write = to_coco if form == "coco" else to_json
        width, height = self._full_size
        text = write(self.group.places, self.group.attachment.path, width, height)
        self._write(path, text.encode())

    def _write(self, path: str, content: bytes) -> None:
        """Write a file whole or not at all, and say why where it is not."""
        file = QSaveFile(path)
        done = (
            file.open(QIODevice.OpenModeFlag.WriteOnly)
            and file.write(content) == len(content)
            and file.commit()
        )
        self._unsaved.setVisible(not done)
        if not done:
            sentence = self.tr("{file} was not saved: {reason}. Choose another folder, or free some space.")
            self._unsaved.setText(sentence.format(file=Path(path).name, reason=file.errorString()))

    def _ask_path(self, suffix: str, name_filter: str) -> str:
        suggested = Path(self.group.attachment.path).stem + suffix
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save"), suggested, name_filter)
        return chosen

    def _fit(self) -> None:
        """The canvas has the picture's shape, within limits."""
        width = max(160, self._width_px - _LIST_WIDTH - 3 * SPACE_M)
        image = self.canvas.image
        height = round(width * image.height() / image.width()) if not image.isNull() else 240
        self.canvas.setFixedSize(width, min(max(height, _LEAST_HEIGHT), _MOST_HEIGHT))


def _swatch(color: QColor) -> QIcon:
    pixmap = QPixmap(QSize(12, 12))
    pixmap.fill(color)
    return QIcon(pixmap)
