"""Opens the dialog that gets models, and keeps the downloads going while it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from desktopapp import paths
from desktopapp.engine.request import MemoryLimits
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.ui.wording import translate_error

if TYPE_CHECKING:
    from desktopapp.ui.get_model.dialog import GetModelDialog
    from desktopapp.ui.get_model.downloads import Downloads

_TOPIC = "download"


class GetModelControl(QObject):
    """Of one window. Nothing of it is imported before the dialog is opened first.

    Args:
        window: where it opens.
        parent: of the object.

    Signals:
        arrived: a model is here; carries its name.
        used: the person wants it to answer; carries its name.
    """

    arrived = Signal(str)
    used = Signal(str)

    def __init__(self, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._downloads: Downloads | None = None
        self.dialog: GetModelDialog | None = None

    @property
    def downloads(self) -> Downloads:
        """Of this window, made when they are wanted first."""
        if self._downloads is None:
            from desktopapp.ui.get_model.downloads import Downloads

            self._downloads = Downloads(self)
            self._downloads.changed.connect(self._on_changed)
            self._downloads.arrived.connect(self._on_arrived)
        return self._downloads

    def open(self, limits: MemoryLimits, endpoint: str) -> None:
        """Show the dialog.

        Args:
            limits: of memory, that the person set.
            endpoint: of the hub; empty for huggingface.co.
        """
        from desktopapp.ui.get_model.dialog import GetModelDialog
        from desktopapp.ui.get_model.offer_finder import Situation

        self.downloads.endpoint = endpoint
        situation = Situation(limits, self._window.status.gauge.sample)
        self.dialog = GetModelDialog(self.downloads, situation, endpoint, self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.used.connect(self.used)
        self.dialog.finished.connect(self._on_dialog_closed)
        self.dialog.open()

    def look_for_pending(self) -> None:
        """Tell in the list of models of downloads that an earlier run of the program left."""
        if (paths.downloads_dir()).is_dir():
            self.downloads.look_for_pending()

    def close(self) -> None:
        """End what runs; downloads can go on another day."""
        if self.dialog is not None:
            self.dialog.close()
        if self._downloads is not None:
            self._downloads.close()

    def _on_dialog_closed(self) -> None:
        self.dialog = None

    def _on_changed(self) -> None:
        running = self.downloads.running
        share = running.done_bytes / (running.download.total_bytes or 1) if running is not None else None
        unfinished = sum(entry.can_resume for entry in self.downloads.entries)
        self._window.picker.model_list.show_download(share, unfinished)
        last = next((entry for entry in self.downloads.entries if entry.failed is not None), None)
        if last is None or last.failed is None:
            self._window.notices.clear_topic(_TOPIC)
        elif self.dialog is None:
            message, remedy = translate_error(last.failed)
            self._window.notices.show_notice(Notice(NoticeLevel.ERROR, message, remedy, _TOPIC))

    def _on_arrived(self, name: str) -> None:
        self.arrived.emit(name)
        if self.dialog is None:
            message = self.tr("{name} is here.").format(name=name)
            remedy = self.tr("Choose it in the list of models (Ctrl+M).")
            self._window.notices.show_notice(Notice(NoticeLevel.INFO, message, remedy, "arrived"))
