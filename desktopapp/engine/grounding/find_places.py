"""Find boxes and points in an answer: whole or still streaming, fenced or not, sound JSON or not.

Formats: `[{"bbox_2d": [x1, y1, x2, y2], "label": ..., "text_content": ..., "time": ...}]` and
`{"point_2d": [x, y], ...}` (Qwen3-VL's cookbooks), HTML elements with `data-bbox="x1 y1 x2 y2"` (`qwenvl html`) and
comments `<!-- Image (x1, y1, x2, y2) -->` (`qwenvl markdown`).
"""

from __future__ import annotations

import bisect
import re
from typing import Any

from desktopapp.engine.grounding.json_objects import enclosing_object
from desktopapp.engine.grounding.places import Place, make_place_coordinates
from desktopapp.engine.media.selection_text import parse_time

_NUMBER = r"-?\d+(?:\.\d+)?"
_KEYED = re.compile(
    rf"[\"']?(bbox_2d|point_2d)[\"']?\s*[:=]\s*[\[(]\s*({_NUMBER}(?:\s*,\s*{_NUMBER}){{1,3}})\s*,?\s*[\])]"
)
_ELEMENT = re.compile(
    rf"<([A-Za-z][\w-]*)\b[^<>]*?\bdata-bbox\s*=\s*[\"']\s*({_NUMBER}(?:[\s,]+{_NUMBER}){{3}})\s*[\"'][^<>]*>([^<]*)"
)
PLACED_COMMENT = re.compile(rf"<!--\s*(\w+)\s*\(\s*({_NUMBER}(?:\s*,\s*{_NUMBER}){{3}})\s*\)\s*-->")
"""A name and four numbers, as `qwenvl markdown` says where something is."""
_NUMBERS = re.compile(_NUMBER)
_MENTION = re.compile(
    r"\b(picture|image|page)\s*#?\s*(\d{1,5})\b|(图片|图像|图|第)\s*(\d{1,5})\s*(页?)", re.IGNORECASE
)
_MOST_PLACES = 2_000
_LONGEST_CAPTION = 200


def find_places(answer: str) -> list[Place]:
    """All places that an answer names, in the order of the text; at most 2,000.

    Args:
        answer: Markdown, perhaps only its begin.
    """
    mentions = _Mentions(answer)
    found: list[Place] = []
    for match in _KEYED.finditer(answer):
        found += _keyed(answer, match, mentions)
    for match in _ELEMENT.finditer(answer):
        tag, text = match[1].lower(), " ".join(match[3].split())
        found += _place(match[2], 4, match.span(), mentions, label="" if text else tag, text=text)
    for match in PLACED_COMMENT.finditer(answer):
        found += _place(match[2], 4, match.span(), mentions, label=match[1])
    return sorted(found, key=lambda place: place.start)[:_MOST_PLACES]


def _keyed(answer: str, match: re.Match[str], mentions: _Mentions) -> list[Place]:
    fields, start, end = enclosing_object(answer, match.start(), match.end())
    picture = _index(fields, ("img_idx", "image_index", "image_id", "picture", "image"))
    return _place(
        match[2],
        4 if match[1] == "bbox_2d" else 2,
        (start, end),
        mentions,
        label=_text(fields, ("label", "name", "category", "description")),
        text=_text(fields, ("text_content", "text")),
        picture=picture,
        page=_index(fields, ("page",)),
        time_s=_time(fields),
    )


def _place(
    numbers: str,
    count: int,
    span: tuple[int, int],
    mentions: _Mentions,
    *,
    label: str,
    text: str = "",
    picture: int | None = None,
    page: int | None = None,
    time_s: float | None = None,
) -> list[Place]:
    values = tuple(float(number) for number in _NUMBERS.findall(numbers))
    coordinates = make_place_coordinates(values) if len(values) == count else None
    if coordinates is None:
        return []
    if picture is None and page is None:
        picture, page = mentions.before(span[0])
    caption = (label[:_LONGEST_CAPTION], text[:_LONGEST_CAPTION])
    return [Place(coordinates, *caption, picture, page, time_s, *span)]


class _Mentions:
    """Where an answer names a picture or a page (`Picture 2:`), which counts for what comes behind."""

    def __init__(self, answer: str) -> None:
        self._places: list[int] = []
        self._names: list[tuple[int | None, int | None]] = []
        for match in _MENTION.finditer(answer):
            is_page = (match[1] or "").lower() == "page" or match[5] == "页"
            if match[3] == "第" and not is_page:
                continue
            number = int(match[2] or match[4])
            self._places.append(match.start())
            self._names.append((None, number) if is_page else (number, None))

    def before(self, position: int) -> tuple[int | None, int | None]:
        """Picture and page named last before a position."""
        index = bisect.bisect_left(self._places, position)
        return self._names[index - 1] if index else (None, None)


def _text(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return " ".join(str(value).split())
    return ""


def _index(fields: dict[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000:
            return value
    return None


def _time(fields: dict[str, Any]) -> float | None:
    value = fields.get("time", fields.get("timestamp"))
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
        return float(value)
    return parse_time(value.removesuffix("s")) if isinstance(value, str) else None
