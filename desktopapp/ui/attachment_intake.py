"""The way of files and bitmaps from a drop, a paste or a dialog into the attachment strip."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage

from desktopapp import paths
from desktopapp.engine.events import PreviewRead
from desktopapp.engine.price_events import Priced
from desktopapp.engine.request import Attachment
from desktopapp.ui.attachment_strip import AttachmentStrip
from desktopapp.ui.folder_lister import FolderLister
from desktopapp.ui.incoming import MOST_ATTACHMENTS, Expanded, is_named_as_media, read_incoming
from desktopapp.ui.media.previews import to_image
from desktopapp.ui.media.selections import to_selection
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.ui.pasted_pictures import new_pasted_path
from desktopapp.ui.thumbnails import THUMBNAIL_PX, ThumbnailLoader
from desktopapp.ui.wording import file_label

_FRAME_PX = 160


class AttachmentIntake(QObject):
    """Fills the strip; asks for thumbnails and prices.

    Signals:
        price_requested: `tuple[Attachment, ...]` for the worker.
        previews_requested: `Attachment`, positions, and side in pixels, for the worker.
        text_received: plain text for the composer.
        noticed: a `Notice`.
        thumbnail_ready: path and thumbnail, for the strip and the conversation alike.
        all_saved: the last pasted bitmap that was being saved is a file now.
        reading_changed: what is being read changed; see `being_read`.
        listed: what was given last is attached now, or as much of it as could be; carries whether all was.
    """

    price_requested = Signal(object)
    previews_requested = Signal(object, object, int)
    text_received = Signal(str)
    noticed = Signal(object)
    thumbnail_ready = Signal(str, QImage)
    all_saved = Signal()
    reading_changed = Signal()
    listed = Signal(bool)

    def __init__(
        self, strip: AttachmentStrip, loader: ThumbnailLoader, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._strip = strip
        self._loader = loader
        self._lister = FolderLister(self)
        self._lister.listed.connect(self._on_listed)
        self._lister.changed.connect(self.reading_changed)
        self._saving: set[str] = set()
        self._thumbnails: dict[str, QImage] = {}
        loader.loaded.connect(self._on_thumbnail)
        loader.unread.connect(self._on_unread)
        strip.selection_changed.connect(self._on_selection_changed)
        strip.frames_wanted.connect(self._on_filmstrip_opened)
        loader.size_read.connect(self._on_size)
        loader.pasted.connect(self._on_pasted)
        loader.folder_found.connect(self._on_folder_found)

    @property
    def being_read(self) -> tuple[str, ...]:
        """Folders, and what may be one, whose files are not attached yet; absolute."""
        return self._lister.being_read

    @property
    def is_saving(self) -> bool:
        """True while a pasted bitmap is being written."""
        return bool(self._saving)

    def take_mime(self, mime: QMimeData) -> None:
        """Take a drop or a paste."""
        incoming = read_incoming(mime)
        if incoming.paths:
            self.take_paths(incoming.paths)
        elif incoming.image is not None:
            self.take_image(incoming.image)
        elif incoming.text:
            self.text_received.emit(incoming.text)
        if incoming.remote:
            self._notice(
                self.tr("Only files of this computer can be attached; nothing is downloaded."),
                self.tr("Save the picture first, or copy it and paste it here."),
            )

    def take_paths(self, given: Iterable[str]) -> None:
        """Attach files, at once, and the media of folders, as soon as they are listed.

        Args:
            given: files and folders.
        """
        paths = tuple(os.path.abspath(path) for path in given)  # noqa: PTH100  (must not resolve links)
        # What comes behind a folder waits for it, so that pictures are numbered in the order in which they were given.
        if self._lister.being_read or not all(is_named_as_media(path) for path in paths):
            self._lister.start(paths)
        else:
            self.take_files(paths)

    def take_files(
        self, given: Iterable[str], selections: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        """Attach files without a look at the disk.

        Args:
            given: files.
            selections: what was chosen of them before, by path.
        """
        self._tell_left_out(self._attach(given, selections or {}))

    def stop_reading(self) -> None:
        """Attach nothing of what is being read."""
        self._lister.cancel()

    def close(self) -> None:
        """End what is being read."""
        self._lister.close()

    def take_image(self, image: QImage) -> None:
        """Attach a bitmap that has no file yet; it becomes a PNG in the per-user folder."""
        if len(self._strip.paths) >= MOST_ATTACHMENTS:
            self._tell_left_out(1)
            return
        path = new_pasted_path(paths.pasted_dir())
        if self._strip.add(str(path)):
            self._saving.add(str(path))
            self._loader.save(image, path)

    def want_thumbnail(self, path: str) -> None:
        """See that `thumbnail_ready` comes for a file, at once where it is known."""
        known = self._thumbnails.get(path)
        if known is not None:
            self._show_thumbnail(path, known)
        # A card shows the file's size as well.
        if known is None or self._strip.card(path) is not None:
            self._loader.load(path)

    def reprice(self) -> None:
        """Ask again what everything in the strip costs: another model may see pictures at another size."""
        wanted = [path for path in self._strip.paths if path not in self._saving]
        if wanted:
            self._ask_price(wanted)

    def show_prices(self, priced: Priced) -> None:
        """Show what the engine said."""
        for price in priced.prices:
            card = self._strip.card(price.path)
            if card is not None:
                was_locked = card.problem
                card.show_price(price)
                if was_locked and not card.problem:
                    self.want_thumbnail(price.path)

    def show_preview(self, preview: PreviewRead) -> None:
        """Show a small picture that the engine made: a thumbnail, or a frame of a filmstrip."""
        image = to_image(preview)
        if image.isNull():
            return
        if preview.position == 0:
            self._on_thumbnail(preview.path, image)
            return
        card = self._strip.card(preview.path)
        if card is not None:
            card.show_frame(preview.position, image)

    def forget_thumbnails(self) -> None:
        """Drop thumbnails of what is no longer shown."""
        kept = set(self._strip.paths)
        self._thumbnails = {path: image for path, image in self._thumbnails.items() if path in kept}

    def _attach(self, given: Iterable[str], selections: Mapping[str, Mapping[str, object]]) -> int:
        """Fill the strip; tell how many had no place in it."""
        files = dict.fromkeys(os.path.abspath(path) for path in given)  # noqa: PTH100  (must not resolve links)
        new = [path for path in files if self._strip.card(path) is None]
        added = new[: max(0, MOST_ATTACHMENTS - len(self._strip.paths))]
        for path in added:
            self._strip.add(path, to_selection(selections.get(path)))
            self.want_thumbnail(path)
        if added:
            self._ask_price(added)
        return len(new) - len(added)

    def _on_listed(self, expanded: Expanded) -> None:
        left_out = expanded.left_out + self._attach(expanded.paths, {})
        self._tell_left_out(left_out)
        for folder in expanded.empty_folders:
            message = self.tr("There is nothing to attach in the folder “{name}”.")
            self._notice(message.format(name=file_label(folder)), "")
        for folder in expanded.unread_folders:
            message = self.tr("The folder “{name}” cannot be read.").format(name=file_label(folder))
            remedy = self.tr("Check that its disk is connected and that you may open it, then drop it again.")
            self._notice(message, remedy, NoticeLevel.ERROR)
        self.listed.emit(not (left_out or expanded.empty_folders or expanded.unread_folders))

    def _on_folder_found(self, path: str) -> None:
        """A folder such as `scans.pdf` was taken for a file."""
        if self._strip.card(path) is not None:
            self._strip.remove(path)
            self._lister.start((path,))

    def _tell_left_out(self, count: int) -> None:
        if count:
            self._notice(
                self.tr("Files left out: {count}.").format(count=count),
                self.tr("A message takes {most} attachments at most.").format(most=MOST_ATTACHMENTS),
            )

    def _on_thumbnail(self, path: str, image: QImage) -> None:
        self._thumbnails[path] = image
        self._show_thumbnail(path, image)

    def _show_thumbnail(self, path: str, image: QImage) -> None:
        card = self._strip.card(path)
        if card is not None:
            card.show_thumbnail(image)
        self.thumbnail_ready.emit(path, image)

    def _on_size(self, path: str, size_bytes: int) -> None:
        card = self._strip.card(path)
        if card is not None:
            card.show_size(size_bytes if size_bytes >= 0 else None)

    def _on_pasted(self, path: str, saved: bool) -> None:
        self._saving.discard(path)
        if not saved:
            self._strip.remove(path)
            self._notice(
                self.tr("The pasted picture could not be saved."),
                self.tr("Check the free space of your disk, then paste it again."),
                NoticeLevel.ERROR,
            )
        elif self._strip.card(path) is not None:
            self.want_thumbnail(path)
            self._ask_price([path])
        if not self._saving:
            self.all_saved.emit()

    def _ask_price(self, paths: Iterable[str]) -> None:
        self.price_requested.emit(tuple(Attachment(path, self._strip.selection(path)) for path in paths))

    def _on_unread(self, path: str) -> None:
        self.previews_requested.emit(Attachment(path, self._strip.selection(path)), (0.0,), THUMBNAIL_PX)

    def _on_selection_changed(self, path: str) -> None:
        self._ask_price([path])

    def _on_filmstrip_opened(self, path: str, positions: tuple[float, ...]) -> None:
        self.previews_requested.emit(Attachment(path), positions, _FRAME_PX)

    def _notice(self, message: str, remedy: str, level: NoticeLevel = NoticeLevel.INFO) -> None:
        self.noticed.emit(Notice(level, message, remedy))
