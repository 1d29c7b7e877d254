"""Which pixels a picture of an earlier prompt had, so that it need not be decoded to be known again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

_MOST_KNOWN = 4096


class SizedPicture(Protocol):
    """A picture at the size that the model is shown, in pixels."""

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...


class KnownPixels:
    """Which pixels a version of a picture has at which size: a few thousand are remembered."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, int, int], str] = OrderedDict()

    def get(self, version: str, picture: SizedPicture) -> str | None:
        """The id of its pixels, or None if it was not seen."""
        return self._ids.get((version, picture.width, picture.height))

    def remember(self, version: str, picture: SizedPicture, pixels_id: str) -> None:
        """Keep the id of a picture's pixels."""
        self._ids[version, picture.width, picture.height] = pixels_id
        if len(self._ids) > _MOST_KNOWN:
            self._ids.popitem(last=False)
