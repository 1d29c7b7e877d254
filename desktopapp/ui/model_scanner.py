"""Looks for models outside the window's thread."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QThreadPool, Signal


class ModelScanner(QObject):
    """Signals:
    found: the models (`list[InstalledModel]`) of all places.
    """

    found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._closing = False

    def scan(self, places: Iterable[str]) -> None:
        """Look through the places of the program, of the person, and these."""
        wanted = tuple(places)

        def work() -> None:
            if self._closing:
                return
            # The model store's readers are not needed for the window to appear.
            from desktopapp.modelstore.store import find_models

            models = find_models(wanted)
            if not self._closing:
                self.found.emit(models)

        self._pool.start(work)

    def close(self) -> None:
        """Wait for a scan that runs; its result is dropped."""
        self._closing = True
        self._pool.waitForDone()
