"""Find the seconds of a video that an answer names: in JSON events, in lists, in running text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from desktopapp.engine.grounding.json_objects import enclosing_object
from desktopapp.engine.grounding.places import Moment
from desktopapp.engine.media.selection_text import parse_time

_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:[0-5]\d(?:\.\d{1,3})?"
_SECONDS = r"\d{1,5}(?:\.\d{1,3})?(?=\s*(?:s\b|sec\b|secs\b|seconds?\b|秒))"
_UNIT = r"(?:\s*(?:seconds?|secs?|s|秒)\b|\s*秒)?"
_TIME = rf"(?:{_CLOCK}|{_SECONDS})"
_TO = r"\s*(?:-|–|—|~|to|until|至|到)\s*"
_SPOKEN = re.compile(
    rf"(?<![\d:.\w])<?({_CLOCK}|\d{{1,5}}(?:\.\d{{1,3}})?(?={_TO}{_SECONDS})|{_SECONDS}){_UNIT}(?:{_TO}({_TIME}){_UNIT})?>?(?!\d|:\d)"
)
_KEY = re.compile(r"[\"'](start(?:_time)?|begin|time|timestamp)[\"']\s*:\s*(?:\"[^\"\n]*\"|'[^'\n]*'|[\d.]+)")
_MOST_MOMENTS = 500
_LONGEST_LABEL = 120


def find_moments(answer: str) -> list[Moment]:
    """All moments that an answer names, in the order of the text; at most 500.

    Args:
        answer: Markdown, perhaps only its begin.
    """
    events = [moment for match in _KEY.finditer(answer) for moment in _event(answer, match)]
    taken = [(moment.start, moment.end) for moment in events]
    spoken = [
        moment
        for match in _SPOKEN.finditer(answer)
        if not any(start <= match.start() < end for start, end in taken)
        for moment in _spoken(answer, match)
    ]
    return sorted([*events, *spoken], key=lambda moment: moment.start)[:_MOST_MOMENTS]


def spoken_times(text: str) -> Iterator[tuple[int, int, float]]:
    """Where running text names a time or a stretch: first character, one behind the last, and the second it begins at."""
    for match in _SPOKEN.finditer(text):
        start_s = parse_time(match[1])
        if start_s is not None:
            yield match.start(), match.end(), start_s


def _event(answer: str, match: re.Match[str]) -> list[Moment]:
    fields, start, end = enclosing_object(answer, match.start(), match.end())
    start_s = _seconds(fields.get(match[1]))
    if start_s is None:
        return []
    end_s = next((s for key in ("end", "end_time") if (s := _seconds(fields.get(key))) is not None), None)
    names = ("label", "event", "description", "caption", "text", "action")
    label = next((str(fields[name]) for name in names if isinstance(fields.get(name), str)), "")
    return [Moment(start_s, end_s, " ".join(label.split())[:_LONGEST_LABEL], start, end)]


def _spoken(answer: str, match: re.Match[str]) -> list[Moment]:
    start_s, end_s = parse_time(match[1]), parse_time(match[2]) if match[2] else None
    if start_s is None or (end_s is not None and end_s < start_s):
        return []
    line_start = answer.rfind("\n", 0, match.start()) + 1
    line_end = answer.find("\n", match.end())
    line = answer[line_start : line_end if line_end >= 0 else len(answer)]
    words = line.replace(match[0], " ", 1).strip(" \t-*•#>:|.,，。：()[]（）")
    label = re.sub(r"[*_`]+", "", re.sub(r"\s+", " ", words))[:_LONGEST_LABEL]
    return [Moment(start_s, end_s, label, match.start(), match.end())]


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < 1e6 else None
    return parse_time(value.strip().removesuffix("s")) if isinstance(value, str) else None
