"""One file of the corpus of media files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktopapp.engine.media.selection import WHOLE, MediaSelection


@dataclass(frozen=True, slots=True)
class Case:
    """One file.

    Args:
        path: of it.
        what: was done to it, for people.
        is_good: it must be readable.
        selection: which part of it is asked for.
        is_bad: it must be refused.
    """

    path: Path
    what: str
    is_good: bool
    selection: MediaSelection = WHOLE
    is_bad: bool = False

    @property
    def name(self) -> str:
        """Of the file and what it is, the same in every run."""
        return f"{self.path.name}, {self.what}"
