"""JSON objects in what a model wrote, whole or cut off, sound or not."""

from __future__ import annotations

import json
from typing import Any

_FARTHEST = 2_000


def enclosing_object(text: str, start: int, end: int) -> tuple[dict[str, Any], int, int]:
    """The innermost object that a stretch of text stands in.

    Args:
        text: an answer.
        start: of the stretch.
        end: of it.

    Returns:
        The object's fields (empty where it cannot be read), and where it begins and ends. An object that is not
        closed ends before the next one, or with the text.
    """
    opening = text.rfind("{", max(0, start - _FARTHEST), start)
    if opening < 0 or "}" in text[opening:start]:
        return {}, start, end
    closing = _closing(text, end, min(len(text), end + _FARTHEST))
    source = text[opening:closing]
    if not source.endswith("}"):
        source = source.rstrip().rstrip(",") + "}"
    return read_object(source), opening, closing


def _closing(text: str, position: int, limit: int) -> int:
    """One behind the brace that closes, or where the object breaks off."""
    quote = ""
    while position < limit:
        char = text[position]
        if quote:
            if char == "\\":
                position += 1
            elif char in (quote, "\n"):  # a string of JSON does not go over a line's end
                quote = ""
        elif char == '"':
            quote = char
        elif char == "}":
            return position + 1
        elif char in "{`]":
            return position
        position += 1
    return min(position, limit)


def read_object(source: str) -> dict[str, Any]:
    """The fields of an object, mended where that is possible; empty where it is none."""
    try:
        fields = json.loads(source)
    except ValueError:
        # Rarely needed, and slower than json.
        import json_repair

        fields = json_repair.loads(source)
    return fields if isinstance(fields, dict) else {}
