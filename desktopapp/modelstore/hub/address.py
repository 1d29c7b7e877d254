"""What a person types or pastes to name a repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from desktopapp.hub_errors import AddressUnknown, EndpointUnusable

DEFAULT_ENDPOINT = "https://huggingface.co"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"({_NAME}/{_NAME})(?::([A-Za-z0-9_]+))?")
_SECTIONS = ("tree", "blob", "resolve", "raw")
_OTHER_KINDS = ("datasets", "spaces", "docs", "papers", "collections", "models")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, and what of it.

    Args:
        repository: `owner/name`.
        precision: that was named behind a colon, or empty.
        file: of the repository, where the link leads to one; empty else.
    """

    repository: str
    precision: str = ""
    file: str = ""


def parse_address(text: str) -> Address:
    """Read `owner/name`, `owner/name:Q4_K_M`, or a link to a page or file of a repository.

    Of a link only the names are taken; the hub of the settings is the one that is asked.

    Raises:
        AddressUnknown: it is none of these.
    """
    wanted = text.strip()
    if "://" not in wanted and not wanted.lower().startswith(("huggingface.co/", "hf.co/", "www.")):
        match = _REPOSITORY.fullmatch(wanted)
        if match is None:
            raise AddressUnknown(text=wanted)
        return Address(match[1], (match[2] or "").upper())
    link = urlsplit(wanted if "://" in wanted else f"https://{wanted}")
    parts = [unquote(part) for part in link.path.split("/") if part]
    repository = "/".join(parts[:2])
    if (
        link.scheme not in ("http", "https")
        or not _REPOSITORY.fullmatch(repository)
        or parts[0] in _OTHER_KINDS
    ):
        raise AddressUnknown(text=wanted)
    is_file = len(parts) > 4 and parts[2] in _SECTIONS and parts[2] != "tree"
    return Address(repository, file="/".join(parts[4:]) if is_file else "")


def checked_endpoint(endpoint: str) -> str:
    """The address of a hub without a slash at its end; the official one for an empty text.

    Raises:
        EndpointUnusable: it is no http or https address.
    """
    wanted = endpoint.strip().rstrip("/") or DEFAULT_ENDPOINT
    try:
        link = urlsplit(wanted)
        usable = link.scheme in ("http", "https") and bool(link.hostname) and link.port != 0
    except ValueError:
        usable = False
    if not usable or link.query or link.fragment or any(char.isspace() for char in wanted):
        raise EndpointUnusable(endpoint=endpoint)
    return wanted


def host_of(endpoint: str) -> str:
    """The hub's name for people: `huggingface.co`."""
    return urlsplit(endpoint).netloc.rpartition("@")[2] or endpoint
