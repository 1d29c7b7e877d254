"""What fetches models, in a process of its own: stopping is killing it, and nothing of it stays in the window's memory.

One process does one thing: it looks into a repository, or runs a download. What it says are JSON objects.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

import msgspec

from desktopapp.errors import AppError, UnexpectedError
from desktopapp.modelstore.hub.address import Address
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.download import Download, Progress, run_download
from desktopapp.modelstore.hub.inspection import inspect_repository
from desktopapp.modelstore.hub.rate import ProgressTeller
from desktopapp.modelstore.hub.remote import RemoteModel


@dataclass(frozen=True, slots=True)
class Look:
    """Look into a repository.

    Args:
        address: of it.
        endpoint: of the hub; empty for huggingface.co.
    """

    address: Address
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Run a download.

    Args:
        download: it.
        endpoint: of the hub; empty for huggingface.co.
    """

    download: Download
    endpoint: str = ""


HubTask: TypeAlias = Look | Fetch


@dataclass(frozen=True, slots=True)
class Looked:
    """What a repository holds."""

    model: RemoteModel


@dataclass(frozen=True, slots=True)
class Advanced:
    """A download came on.

    Args:
        progress: how far it is.
        bytes_per_s: 0 while that cannot be told.
        left_s: seconds until the rest is there, likewise None.
    """

    progress: Progress
    bytes_per_s: float
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model is here.

    Args:
        folder: of it.
    """

    folder: str


@dataclass(frozen=True, slots=True)
class HubFailed:
    """It cannot go on: the fields of an `AppError`."""

    error: str
    message: str
    remedy: str
    values: dict[str, str]


HubEvent: TypeAlias = Looked | Advanced | Fetched | HubFailed
_EVENTS: dict[str, type[HubEvent]] = {kind.__name__: kind for kind in (Looked, Advanced, Fetched, HubFailed)}


@dataclass(frozen=True, slots=True)
class _Message:
    event: str
    values: Any


def encode(event: HubEvent) -> bytes:
    """An event as a message."""
    return msgspec.json.encode(_Message(type(event).__name__, event))


def decode(message: bytes) -> HubEvent:
    """The event of a message.

    Raises:
        ValueError: it is none.
    """
    told = msgspec.json.decode(message, type=_Message)
    kind = _EVENTS.get(told.event)
    if kind is None:
        raise ValueError("unknown event")
    return msgspec.convert(told.values, type=kind)


def serve_hub(events: Connection, task: HubTask) -> None:
    """Do one thing and tell how it goes; the process's whole work.

    Args:
        events: gets messages.
        task: what to do.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the window's own end takes this process along

    def tell(event: HubEvent) -> None:
        events.send_bytes(encode(event))

    with _failures_told(tell):
        hub = Hub(task.endpoint)
        if isinstance(task, Look):
            tell(Looked(inspect_repository(hub, task.address)))
            return
        teller = ProgressTeller(lambda *progress: tell(Advanced(*progress)))
        tell(Fetched(str(run_download(hub, task.download, teller))))


@contextmanager
def _failures_told(tell: Callable[[HubEvent], None]) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        pass  # the window is gone
    except AppError as error:
        tell(HubFailed(error.error, error.message, error.remedy, error.values))
    except Exception as error:  # noqa: BLE001 - the window says what happened, whatever it was
        unexpected = UnexpectedError(reason=f"{type(error).__name__}: {error}")
        tell(HubFailed(unexpected.error, unexpected.message, unexpected.remedy, unexpected.values))
