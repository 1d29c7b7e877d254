"""What the window's process tells the engine process. Plain data; see `wire.py` for the encoding."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.request import Attachment, ModelChoice, Request


@dataclass(frozen=True, slots=True)
class Command:
    """The base of all commands."""


@dataclass(frozen=True, slots=True)
class LoadModel(Command):
    """Load a model ahead of the first question; a load that runs for another choice is given up."""

    choice: ModelChoice


@dataclass(frozen=True, slots=True)
class UnloadModel(Command):
    """Give the model's memory back."""


@dataclass(frozen=True, slots=True)
class Generate(Command):
    """Answer a request. One at a time; the sender queues."""

    request: Request


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """Stop a request, or with an empty id the load that `LoadModel` began; the control thread acknowledges at once."""

    request_id: str


@dataclass(frozen=True, slots=True)
class AnswerNow(Command):
    """End the thought of a request and let its model answer; a request that does not think goes on as it is."""

    request_id: str


@dataclass(frozen=True, slots=True)
class PriceAttachments(Command):
    """Read the headers of these files and say what each costs; answered by the control thread."""

    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class ReadPreviews(Command):
    """Make small pictures of a file; a `PreviewRead` comes for each position that can be read.

    Args:
        attachment: the file.
        positions: page numbers, or seconds; 0 is the begin.
        side_px: longest side of a preview.
    """

    attachment: Attachment
    positions: tuple[float, ...]
    side_px: int


@dataclass(frozen=True, slots=True)
class PriceDraft(Command):
    """Say how a request would be run if it were sent now; of several that wait, the newest alone is answered."""

    request: Request


@dataclass(frozen=True, slots=True)
class Shutdown(Command):
    """End the process."""
