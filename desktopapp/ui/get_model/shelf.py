"""What the dialog offers: the sizes of the catalogue, and repositories that the person named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktopapp.modelstore.catalogue import CatalogueModel
from desktopapp.modelstore.hub.address import Address
from desktopapp.modelstore.hub.download import Download, plan_download
from desktopapp.modelstore.hub.inspection import pick_form
from desktopapp.modelstore.hub.remote import RemoteModel
from desktopapp.modelstore.model import ModelKind
from desktopapp.ui.get_model.words import other_row, size_row, size_title
from desktopapp.ui.model_rows import ModelRow

if TYPE_CHECKING:
    from desktopapp.engine.memory.offers import Offer


@dataclass(frozen=True, slots=True)
class ShelfItem:
    """One thing to get.

    Args:
        offers: its forms.
        best: the form to take here; None where none fits.
        size: of the catalogue; None for a repository that was named.
        other: that repository.
    """

    offers: list[Offer]
    best: Offer | None
    size: CatalogueModel | None = None
    other: RemoteModel | None = None

    @property
    def title(self) -> str:
        """Its name."""
        if self.size is not None:
            return size_title(self.size.size)
        return self.other.listing.repository if self.other is not None else ""

    @property
    def row(self) -> ModelRow:
        """Its line in the list."""
        if self.size is not None:
            return size_row(self.size.size, self.offers, self.best)
        return other_row(self.title, self.offers, self.best)

    def addresses(self, offer: Offer, kinds: Iterable[ModelKind]) -> list[Address]:
        """The repositories that hold a form of it.

        Args:
            offer: the form.
            kinds: of a pair.
        """
        if self.size is None:
            return [Address(self.title)]
        return [Address(self.size.repository_of(kind, offer.format)) for kind in kinds]

    def downloads(
        self, offer: Offer, kinds: Iterable[ModelKind], known: Mapping[str, RemoteModel]
    ) -> list[Download] | None:
        """What would be loaded; None where the hub was not asked yet.

        Args:
            offer: the form.
            kinds: of a pair.
            known: what the hub said.

        Raises:
            PrecisionAbsent: a repository does not have that form.
        """
        found = []
        for address in self.addresses(offer, kinds):
            model = known.get(address.repository)
            if model is None:
                return None
            form = pick_form(address.repository, model.forms, offer.precision)
            found.append(plan_download(model, form))
        return found
