"""Asks the hub about repositories, one after the other, and remembers what it said."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from desktopapp.modelstore.hub.address import Address
from desktopapp.modelstore.hub.remote import RemoteModel
from desktopapp.worker.hub_child import HubFailed, Look
from desktopapp.worker.hub_worker import HubWorker


class Inquiry(QObject):
    """Signals:
    answered: a repository was described; carries the `RemoteModel`.
    finished: everything that was asked is known now.
    failed: carries `HubFailed`; nothing more is asked.
    """

    answered = Signal(object)
    finished = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.endpoint = ""
        self.known: dict[str, RemoteModel] = {}
        self._waiting: list[Address] = []
        self._worker = HubWorker(self)
        self._worker.looked.connect(self._on_looked)
        self._worker.failed.connect(self._on_failed)

    @property
    def is_busy(self) -> bool:
        """Whether the hub is being asked."""
        return self._worker.is_busy

    def ask(self, addresses: Sequence[Address]) -> None:
        """Ask about these; what is known already is not asked again."""
        self.stop()
        self._waiting = [one for one in addresses if one.repository not in self.known]
        self._go_on()

    def stop(self) -> None:
        """Ask nothing more."""
        self._waiting.clear()
        self._worker.stop()

    def _go_on(self) -> None:
        if self._waiting:
            self._worker.start(Look(self._waiting.pop(0), self.endpoint))
        else:
            self.finished.emit()

    @Slot(object)
    def _on_looked(self, model: RemoteModel) -> None:
        self.known[model.listing.repository] = model
        self.answered.emit(model)
        self._go_on()

    @Slot(object)
    def _on_failed(self, failed: HubFailed) -> None:
        self._waiting.clear()
        self.failed.emit(failed)
