"""Prices models outside the window's thread: what is free now, and what each would take of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktopapp.engine.request import MemoryLimits
from desktopapp.errors import AppError
from desktopapp.modelstore.hub.remote import RemoteModel
from desktopapp.ui.reading_threads import ReadingThreads

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
        self._threads = ReadingThreads(1, self)

    def find(self, situation: Situation) -> None:
        """Price the catalogue."""
        self._threads.start(lambda: _offers_of_catalogue(situation), self.found.emit)

    def price(self, model: RemoteModel, situation: Situation) -> None:
        """Price what a repository holds."""
        name = model.listing.repository
        self._threads.start(
            lambda: _offers_of(model, situation), lambda offers: self.priced.emit(name, offers)
        )

    def close(self) -> None:
        """Give what runs a moment; its result is dropped."""
        self._threads.close()


def _offers_of_catalogue(situation: Situation) -> list[Offer]:
    from desktopapp.engine.memory.offers import offers_of_catalogue
    from desktopapp.modelstore.catalogue import read_catalogue

    return offers_of_catalogue(read_catalogue(), _read_machine(situation.sample), situation.limits)


def _offers_of(model: RemoteModel, situation: Situation) -> list[Offer]:
    from desktopapp.engine.memory.offers import offers_of_forms

    name = model.listing.repository
    try:
        machine = _read_machine(situation.sample)
        return offers_of_forms(model.forms, model.config, name, machine, situation.limits)
    except AppError:  # a shape that cannot be priced can be loaded all the same
        return []


def _read_machine(sample: MemorySample | None) -> Machine:
    """This machine, as if the model that is loaded now were not: another one takes its place."""
    from desktopapp.engine.memory.machine import read_machine

    held = sample.engine_bytes if sample is not None else 0
    if sample is None or sample.is_gpu:
        return read_machine(held)
    machine = read_machine()
    free_bytes = min(machine.system.free_bytes + held, machine.system.total_bytes)
    return replace(machine, system=replace(machine.system, free_bytes=free_bytes))
