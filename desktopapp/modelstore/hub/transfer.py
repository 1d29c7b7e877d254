"""Brings one file over: from where it was left, over broken connections, checked against the hub's checksum.

The library's own `hf_hub_download` (2.4) begins anew after every interruption and hands over blocks of 10 MB, so this
uses its session, addresses and errors, and keeps the file itself.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from desktopapp.hub_errors import DownloadDamaged, HubRefused, HubUnreachable
from desktopapp.modelstore.hub.client import Hub
from desktopapp.modelstore.hub.failures import told_as_disk_errors
from desktopapp.modelstore.hub.remote import RemoteFile

MOST_TRIES = 5
"""In a row without a byte."""

PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Between them."""

_BLOCK_BYTES = 1 << 20

CountBytes = Callable[[int], None]
"""Is told how many bytes of the file are there."""


def fetch_file(
    hub: Hub, repository: str, revision: str, file: RemoteFile, part: Path, count: CountBytes
) -> None:
    """Load a file, or the rest of it.

    Args:
        hub: to ask.
        repository: `owner/name`.
        revision: commit.
        file: of that commit.
        part: what is there of it already, and grows.
        count: is told the progress.

    Raises:
        HubError: it cannot be had; what came stays.
    """
    tries = 0
    while (size_bytes := _size_of(part)) != file.size_bytes:
        if size_bytes > file.size_bytes:
            part.unlink()
            size_bytes = 0
        try:
            _append(hub, repository, revision, file, part, count)
        except (HubUnreachable, HubRefused):
            tries = 0 if _size_of(part) > size_bytes else tries + 1
            if tries >= MOST_TRIES:
                raise
            time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
    if not file.size_bytes:
        part.touch()


def check_file(file: RemoteFile, path: Path, count: CountBytes | None = None) -> bool:
    """Whether a file's content is the one that the hub listed: by SHA-256, or as git object where it has none.

    Args:
        file: as listed.
        path: on the disk.
        count: is told how many bytes were looked at.
    """
    if _size_of(path) != file.size_bytes:
        return False
    if not file.sha256 and not file.git_sha1:
        return True
    # Git's name of a file is the SHA-1 of this and its content; it is no defence, but finds every accident.
    begin = b"" if file.sha256 else f"blob {file.size_bytes}\0".encode()
    digest = hashlib.new("sha256" if file.sha256 else "sha1", begin, usedforsecurity=False)
    done = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            if count is not None:
                count(done)
    return digest.hexdigest() == (file.sha256 or file.git_sha1).lower()


def checked(file: RemoteFile, path: Path, host: str, count: CountBytes | None = None) -> None:
    """Throw a file away that is not the listed one.

    Raises:
        DownloadDamaged: it was not.
    """
    if not check_file(file, path, count):
        path.unlink()
        raise DownloadDamaged(file=file.name, host=host)


def _append(
    hub: Hub, repository: str, revision: str, file: RemoteFile, part: Path, count: CountBytes
) -> None:
    start = _size_of(part)
    with hub.open(repository, revision, file.name, start) as (begin, blocks):
        if begin not in (0, start):
            raise HubRefused(host=hub.host, reason="it sent another part of the file than was asked for")
        with told_as_disk_errors(part.parent, file.size_bytes - start):
            # Unbuffered: what was counted is on the disk, also when the process is killed.
            stream = part.open("ab" if begin == start else "wb", buffering=0)
        with stream:
            done = begin
            for block in blocks:
                if done + len(block) > file.size_bytes:
                    raise HubRefused(host=hub.host, reason="it sent more than the file holds")
                with told_as_disk_errors(part.parent, file.size_bytes - done):
                    _write(stream, block)
                done += len(block)
                count(done)
    if done < file.size_bytes:
        raise HubUnreachable(host=hub.host, reason="the connection broke off")


def _write(stream: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[stream.write(rest) :]


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
