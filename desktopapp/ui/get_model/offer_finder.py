"""Prices models outside the window's thread: what is free now, and what each would take of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, Signal

from desktopapp.engine.request import MemoryLimits
from desktopapp.errors import AppError
from desktopapp.modelstore.hub.remote import RemoteModel

if TYPE_CHECKING:
    from desktopapp.engine.memory.machine import Machine
    from desktopapp.engine.memory.offers import Offer
    from desktopapp.engine.price_events import MemorySample


@dataclass(frozen=True, slots=True)
class Situation:
    """What prices depend on.

    Args:
        limits: of the person.
        sample: of memory, the last; what our engine holds of it counts as free. None before the first.
    """

    limits: MemoryLimits
    sample: MemorySample | None = None


class OfferFinder(QObject):
    """Signals:
    found: the offers (`list[Offer]`) of the catalogue.
    priced: name of a repository, and the offers for its forms, in their order; none where it cannot be priced.
    """

    found = Signal(object)
    priced = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._closing = False

    def find(self, situation: Situation) -> None:
        """Price the catalogue."""

        def work() -> None:
            from desktopapp.engine.memory.offers import offers_of_catalogue
            from desktopapp.modelstore.catalogue import read_catalogue

            offers = offers_of_catalogue(read_catalogue(), _read_machine(situation.sample), situation.limits)
            self._tell(lambda: self.found.emit(offers))

        self._start(work)

    def price(self, model: RemoteModel, situation: Situation) -> None:
        """Price what a repository holds."""

        def work() -> None:
            from desktopapp.engine.memory.offers import offers_of_forms

            name = model.listing.repository
            offers: list[Offer] = []
            try:
                machine = _read_machine(situation.sample)
                offers = offers_of_forms(model.forms, model.config, name, machine, situation.limits)
            except AppError:  # a shape that cannot be priced can be loaded all the same
                pass
            self._tell(lambda: self.priced.emit(name, offers))

        self._start(work)

    def close(self) -> None:
        """Wait for what runs; its result is dropped."""
        self._closing = True
        self._pool.waitForDone()

    def _start(self, work: Callable[[], None]) -> None:
        if not self._closing:
            self._pool.start(work)

    def _tell(self, emit: Callable[[], None]) -> None:
        if not self._closing:
            emit()


def _read_machine(sample: MemorySample | None) -> Machine:
    """This machine, as if the model that is loaded now were not: another one takes its place."""
    from desktopapp.engine.memory.machine import read_machine

    held = sample.engine_bytes if sample is not None else 0
    if sample is None or sample.is_gpu:
        return read_machine(held)
    machine = read_machine()
    free_bytes = min(machine.system.free_bytes + held, machine.system.total_bytes)
    return replace(machine, system=replace(machine.system, free_bytes=free_bytes))
