"""What the person chose of each file, as plain data that can be kept, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from desktopapp.engine.media.selection import WHOLE, MediaSelection


def to_fields(selection: MediaSelection) -> dict[str, Any]:
    """The choices that differ from the defaults; empty for the whole file."""
    fields, defaults = msgspec.to_builtins(selection), msgspec.to_builtins(WHOLE)
    return {name: value for name, value in fields.items() if value != defaults[name]}


def to_selection(fields: Mapping[str, Any] | None) -> MediaSelection:
    """What `to_fields` wrote; the whole file where it cannot be understood."""
    try:
        return msgspec.convert(dict(fields or {}), type=MediaSelection)
    except msgspec.ValidationError:
        return WHOLE
