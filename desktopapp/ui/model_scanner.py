"""Looks for models outside the window's thread."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QThreadPool, Signal

from desktopapp.errors import AppError


class ModelScanner(QObject):
    """Signals:
    found: the models (`list[InstalledModel]`) of all places.
    checked: a place, and the `InstalledModel` that it holds or the `AppError` that says why there is none.
    """

    found = Signal(object)
    checked = Signal(str, object)

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

    def check(self, place: str) -> None:
        """Look whether a folder or GGUF file holds a model that can be used."""

        def work() -> None:
            if self._closing:
                return
            from desktopapp.modelstore.store import find_model

            found: object
            try:
                found = find_model(place)
            except AppError as error:
                found = error
            if not self._closing:
                self.checked.emit(place, found)

        self._pool.start(work)

    def close(self) -> None:
        """Wait for a scan that runs; its result is dropped."""
        self._closing = True
        self._pool.waitForDone()
