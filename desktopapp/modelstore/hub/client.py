"""Speaks to a Hugging Face hub: what a repository holds, and the bytes of its files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from desktopapp import __version__
from desktopapp.hub_errors import HubRefused
from desktopapp.modelstore.hub.address import checked_endpoint, host_of
from desktopapp.modelstore.hub.failures import told_as_hub_errors
from desktopapp.modelstore.hub.remote import Listing, RemoteFile

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S = 30.0
"""Longest silence of the hub."""

_PARTIAL_CONTENT = 206


class Hub:
    """One hub. Signs in nowhere: a token that other programs stored is not sent.

    Args:
        endpoint: its address; empty for huggingface.co.

    Raises:
        EndpointUnusable: it is no address.
    """

    def __init__(self, endpoint: str = "") -> None:
        self.endpoint = checked_endpoint(endpoint)
        self.host = host_of(self.endpoint)

    def list_files(self, repository: str) -> Listing:
        """What a repository holds now.

        Raises:
            HubError: it cannot be told.
        """
        with told_as_hub_errors(self.host, repository):
            from huggingface_hub import HfApi

            _quieten()
            info = HfApi(endpoint=self.endpoint, token=False).model_info(
                repository, files_metadata=True, timeout=TIMEOUT_S
            )
            files = tuple(
                RemoteFile(
                    sibling.rfilename,
                    int(sibling.size or 0),
                    sibling.lfs.sha256 if sibling.lfs else "",
                    "" if sibling.lfs else sibling.blob_id or "",
                )
                for sibling in info.siblings or ()
                if "/" not in sibling.rfilename
            )
        if not info.sha or not files:
            raise HubRefused(host=self.host, reason="what it sent is no answer of a model hub")
        return Listing(repository, info.sha, files)

    def read_start(self, listing: Listing, file: str, most_bytes: int) -> bytes:
        """The first bytes of a file.

        Args:
            listing: of its repository.
            file: its name.
            most_bytes: of it.

        Raises:
            HubError: they cannot be had.
        """
        head = b""
        with self.open(listing.repository, listing.revision, file, 0, most_bytes) as (_, blocks):
            for block in blocks:
                head += block
                if len(head) >= most_bytes:
                    break
        return head[:most_bytes]

    @contextmanager
    def open(
        self, repository: str, revision: str, file: str, start: int, most_bytes: int | None = None
    ) -> Iterator[tuple[int, Iterator[bytes]]]:
        """A file's content from one byte on.

        Args:
            repository: `owner/name`.
            revision: commit.
            file: its name.
            start: first byte.
            most_bytes: from there on; None for all.

        Yields:
            Where the content really begins, which is 0 where the server ignores such wishes, and its blocks.

        Raises:
            HubError: it cannot be had.
        """
        with told_as_hub_errors(self.host, repository):
            from huggingface_hub import get_session, hf_raise_for_status

            _quieten()
            headers = {"Accept-Encoding": "identity", "User-Agent": f"qwen3-vl-desktop/{__version__}"}
            if start or most_bytes is not None:
                end = "" if most_bytes is None else start + most_bytes - 1
                headers["Range"] = f"bytes={start}-{end}"
            url = f"{self.endpoint}/{repository}/resolve/{revision}/{quote(file)}"
            with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT_S) as response:
                hf_raise_for_status(response)
                yield _first_byte(response), response.iter_raw()


def _first_byte(response: httpx2.Response) -> int:
    if response.status_code != _PARTIAL_CONTENT:
        return 0
    # `bytes 1000-1999/2000`
    return int(response.headers["Content-Range"].split()[1].partition("-")[0])


def _quieten() -> None:
    """What it logs are addresses and retries, which the errors say better; httpx2 logs each request."""
    for name in ("huggingface_hub", "httpx2"):
        logging.getLogger(name).setLevel(logging.ERROR)
