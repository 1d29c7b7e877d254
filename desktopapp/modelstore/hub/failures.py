"""Turns what the network and the disk throw into errors that a person understands."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desktopapp.errors import AppError
from desktopapp.hub_errors import (
    DiskTooFull,
    FolderUnwritable,
    HubRefused,
    HubSwitchedOff,
    HubUnreachable,
    ProxyRefused,
    RepositoryAbsent,
    RepositoryLocked,
)

_PROXY_STATUS = 407
_LOCKED_STATUS = 403
# Whoever is not signed in is told 401 of a repository that there is not.
_ABSENT_STATUSES = (401, 404)
_BUSY_STATUS = 429
_FULL = (errno.ENOSPC, errno.EDQUOT)
_WINDOWS_FULL = (39, 112)


@contextmanager
def told_as_hub_errors(host: str, repository: str) -> Iterator[None]:
    """Run network code; what it throws comes out as an `AppError`.

    Args:
        host: that is spoken to.
        repository: that is asked for.
    """
    import httpx2
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except AppError:
        raise
    except OfflineModeIsEnabled as error:
        raise HubSwitchedOff from error
    except GatedRepoError as error:
        raise RepositoryLocked(name=repository, host=host) from error
    except HfHubHTTPError as error:
        raise _refused(host, repository, error.response.status_code) from error
    except httpx2.HTTPStatusError as error:
        raise _refused(host, repository, error.response.status_code) from error
    except httpx2.ProxyError as error:
        raise ProxyRefused(host=host, reason=_words(error)) from error
    except httpx2.HTTPError as error:
        raise HubUnreachable(host=host, reason=_reason(error)) from error
    except (ValueError, LookupError, TypeError) as error:
        # A login page of a hotel's network, for example.
        raise HubRefused(host=host, reason="what it sent is no answer of a model hub") from error


@contextmanager
def told_as_disk_errors(folder: Path, needed_bytes: int) -> Iterator[None]:
    """Run code that writes; what the disk refuses comes out as an `AppError`.

    Args:
        folder: that is written to.
        needed_bytes: that are still to come.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL or getattr(error, "winerror", None) in _WINDOWS_FULL:
            raise disk_too_full(folder, needed_bytes, 0) from error
        raise FolderUnwritable(folder=folder, reason=error.strerror or error) from error


def disk_too_full(folder: Path, needed_bytes: int, free_bytes: int) -> DiskTooFull:
    """The error for a disk without room."""
    return DiskTooFull(
        needed_gb=f"{needed_bytes / 1e9:.1f}", free_gb=f"{free_bytes / 1e9:.1f}", folder=folder
    )


def _refused(host: str, repository: str, status: int) -> AppError:
    if status == _PROXY_STATUS:
        return ProxyRefused(host=host, reason="it asks for a password")
    if status in _ABSENT_STATUSES:
        return RepositoryAbsent(name=repository, host=host)
    if status == _LOCKED_STATUS:
        return RepositoryLocked(name=repository, host=host)
    if status == _BUSY_STATUS:
        return HubRefused(host=host, reason="it was asked too often")
    return HubRefused(host=host, reason=f"status {status}")


def _reason(error: Exception) -> str:
    """Why there is no connection, in words that `engine_phrases` of the window knows."""
    import httpx2

    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "its name was not found"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "its certificate is not trusted"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused"
    if isinstance(error, httpx2.TimeoutException):
        return "it did not answer in time"
    if isinstance(error, httpx2.ReadError | httpx2.RemoteProtocolError | httpx2.WriteError):
        return "the connection broke off"
    return _words(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
