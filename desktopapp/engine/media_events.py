"""What the engine says of long media and of looking closer; see `events.py`, which has all the others."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.events import Event
from desktopapp.engine.request import AnsweredStretch, Stretch


@dataclass(frozen=True, slots=True)
class ZoomedIn(Event):
    """The model asked to look closer at a part of a picture or page, and is shown it next.

    Args:
        request_id: the request.
        path: of the file.
        page: of a document, from 1; 0 for a picture.
        box: x1, y1, x2, y2 of the part, each 0..1000 of the whole picture's width and height.
        label: what the model looks for, or empty.
        tokens: visual tokens of the part.
    """

    request_id: str
    path: str
    page: int
    box: tuple[float, float, float, float]
    label: str
    tokens: int


@dataclass(frozen=True, slots=True)
class StretchAnswered(Event):
    """A part of a long job is answered. Kept, it need not be answered again: see `request.JobSoFar`.

    Args:
        request_id: the request.
        answered: the part.
        waiting: the parts that are still to be answered, in order.
    """

    request_id: str
    answered: AnsweredStretch
    waiting: tuple[Stretch, ...]
