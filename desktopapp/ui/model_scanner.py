"""Looks for models outside the window's thread."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from desktopapp.errors import AppError
from desktopapp.modelstore.model import InstalledModel
from desktopapp.ui.reading_threads import ReadingThreads


class ModelScanner(QObject):
    """Signals:
    found: the models (`list[InstalledModel]`) of all places.
    checked: a place, and the `InstalledModel` that it holds or the `AppError` that says why there is none.
    """

    found = Signal(object)
    checked = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ReadingThreads(1, self)

    def scan(self, places: Iterable[str]) -> None:
        """Look through the places of the program, of the person, and these."""
        wanted = tuple(places)
        self._threads.start(lambda: _find_models(wanted), self.found.emit)

    def check(self, place: str) -> None:
        """Look whether a folder or GGUF file holds a model that can be used."""
        self._threads.start(lambda: _find_model(place), lambda found: self.checked.emit(place, found))

    def close(self) -> None:
        """Give a scan that runs a moment; its result is dropped."""
        self._threads.close()


# The model store's readers are not needed for the window to appear.


def _find_models(places: tuple[str, ...]) -> list[InstalledModel]:
    from desktopapp.modelstore.store import find_models

    return find_models(places)


def _find_model(place: str) -> InstalledModel | AppError:
    from desktopapp.modelstore.store import find_model

    try:
        return find_model(place)
    except AppError as error:
        return error
