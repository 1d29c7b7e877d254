"""The downloads of a window: what waits, what runs, what was left on another day. One runs at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from PySide6.QtCore import QObject, Signal, Slot

from desktopapp.errors import AppError
from desktopapp.modelstore.hub.download import Download, Phase, discard, pending_downloads
from desktopapp.worker.hub_child import Advanced, Fetch, HubFailed
from desktopapp.worker.hub_worker import HubWorker


class DownloadState(StrEnum):
    """Where a download stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DownloadEntry:
    """One download as the window shows it.

    Args:
        download: what is loaded.
        state: where it stands.
        done_bytes: that are here.
        advanced: how it goes, while it runs.
        failed: why it stopped, where it failed.
    """

    download: Download
    state: DownloadState
    done_bytes: int
    advanced: Advanced | None = None
    failed: HubFailed | None = None

    @property
    def key(self) -> str:
        """What tells downloads apart."""
        return str(self.download.folder)

    @property
    def can_resume(self) -> bool:
        """Whether it stands still and is not done."""
        return self.state in (DownloadState.PAUSED, DownloadState.FAILED)


class Downloads(QObject):
    """Runs downloads one after the other, also while no dialog is open.

    `endpoint` is the address of the hub that what starts next is loaded from; empty for huggingface.co.

    Signals:
        changed: an entry is another, came or went.
        arrived: a model is here; carries its name.
    """

    changed = Signal()
    arrived = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[DownloadEntry] = []
        self.endpoint = ""
        self._running = ""
        self._worker = HubWorker(self)
        self._worker.advanced.connect(self._on_advanced)
        self._worker.fetched.connect(self._on_fetched)
        self._worker.failed.connect(self._on_failed)

    @property
    def running(self) -> DownloadEntry | None:
        """The one that runs."""
        return self._entry(self._running)

    def look_for_pending(self) -> None:
        """List what an earlier run of the program left; nothing is contacted."""
        known = {entry.key for entry in self.entries}
        for download in pending_downloads():
            if str(download.folder) not in known:
                self.entries.append(DownloadEntry(download, DownloadState.PAUSED, download.kept_bytes))
        self.changed.emit()

    def add(self, downloads: Sequence[Download]) -> None:
        """Load these, after what runs and waits already."""
        for download in downloads:
            entry = DownloadEntry(download, DownloadState.WAITING, download.kept_bytes)
            if self._entry(entry.key) is None:
                self.entries.append(entry)
            elif entry.key != self._running:
                self._put(entry)
        self._go_on()

    def pause(self, key: str) -> None:
        """Stop a download at once; what was loaded stays."""
        if key == self._running:
            self._worker.stop()
            self._running = ""
        entry = self._entry(key)
        if entry is not None:
            self._put(DownloadEntry(entry.download, DownloadState.PAUSED, entry.download.kept_bytes))
        self._go_on()

    def resume(self, key: str) -> None:
        """Go on with a download, when its turn comes."""
        entry = self._entry(key)
        if entry is not None:
            self._put(replace(entry, state=DownloadState.WAITING, failed=None))
        self._go_on()

    def remove(self, key: str) -> None:
        """Take a download off the list, and off the disk what was loaded of an unfinished one."""
        entry = self._entry(key)
        if entry is None:
            return
        if key == self._running:
            self._worker.stop()
            self._running = ""
        if entry.state is not DownloadState.DONE:
            try:
                discard(entry.download)
            except AppError as error:
                self._put(_failed(entry, HubFailed(error.error, error.message, error.remedy, error.values)))
                return
        self.entries.remove(self._entry(key) or entry)
        self._go_on()

    def close(self) -> None:
        """End what runs; it can go on another day."""
        self._worker.stop()
        self._running = ""

    def _go_on(self) -> None:
        if not self._running:
            waiting = next((one for one in self.entries if one.state is DownloadState.WAITING), None)
            if waiting is not None:
                self._running = waiting.key
                self._put(replace(waiting, state=DownloadState.RUNNING))
                self._worker.start(Fetch(waiting.download, self.endpoint))
        self.changed.emit()

    def _entry(self, key: str) -> DownloadEntry | None:
        return next((entry for entry in self.entries if entry.key == key), None)

    def _put(self, entry: DownloadEntry) -> None:
        self.entries = [entry if one.key == entry.key else one for one in self.entries]
        self.changed.emit()

    @Slot(object)
    def _on_advanced(self, advanced: Advanced) -> None:
        if self.running is not None:
            done_bytes = self.running.done_bytes
            if advanced.progress.phase is Phase.LOADING:
                done_bytes = advanced.progress.done_bytes
            self._put(replace(self.running, advanced=advanced, done_bytes=done_bytes))

    @Slot(str)
    def _on_fetched(self, _folder: str) -> None:
        entry = self.running
        self._running = ""
        if entry is not None:
            self._put(DownloadEntry(entry.download, DownloadState.DONE, entry.download.total_bytes))
            self.arrived.emit(entry.download.name)
        self._go_on()

    @Slot(object)
    def _on_failed(self, failed: HubFailed) -> None:
        entry = self.running
        self._running = ""
        if entry is not None:
            self._put(_failed(entry, failed))
        self._go_on()


def _failed(entry: DownloadEntry, failed: HubFailed) -> DownloadEntry:
    return DownloadEntry(entry.download, DownloadState.FAILED, entry.download.kept_bytes, failed=failed)
