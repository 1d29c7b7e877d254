"""Sizes in GiB for sentences that say what is needed and what there is."""

from __future__ import annotations

_GIB = 2**30


def gib_needed(size_bytes: int) -> str:
    """To two decimals and upwards, so that it is told to be more than what it does not fit into."""
    return f"{-(-size_bytes * 100 // _GIB) / 100:.2f}"


def gib_had(size_bytes: int) -> str:
    """The same downwards."""
    return f"{size_bytes * 100 // _GIB / 100:.2f}"
