"""Makes the end of unfinished Markdown look like what it is most likely to become, so that nothing flickers."""

from __future__ import annotations

import re

_ONLY_MARKS = re.compile(r"[ \t]*(?:[-*+#>|=_`~:][-*+#>|=_`~: \t]*|\d{1,3}[.)]?)$")
_ADDRESS_SO_FAR = re.compile(r"[^)\s]*$")
_TABLE_ROW = re.compile(r"[ >]*\|")
_MAX_HEADER_LENGTH = 400
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_FENCE_LINE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]*)?(?:```|~~~)", re.MULTILINE)


def tidy_tail(source: str) -> str:
    """The source for display: half-written marks hidden, open emphasis, code and links closed.

    Args:
        source: what is not closed yet, from the beginning of a block.
    """
    line_start = source.rfind("\n") + 1
    if _ONLY_MARKS.match(source, line_start) or _FENCE_LINE.match(source, line_start):
        source = source[:line_start]
    if _FENCE_LINE.search(source):
        return source
    source = _without_lone_header(source)
    start = max((match.end() for match in _BLANK_LINE.finditer(source)), default=0)
    source = _without_open_address(source, max(start, source.rfind("\n") + 1))
    return source + _closing_marks(source[start:])


def _without_lone_header(source: str) -> str:
    """A table's header is text until the row below it has come: it is shown with that."""
    body = source.rstrip("\n")
    line_start = body.rfind("\n") + 1
    if source.endswith("\n\n") or not _TABLE_ROW.match(body, line_start):
        return source
    previous_start = body.rfind("\n", 0, max(0, line_start - 1)) + 1
    is_first = line_start == 0 or not _TABLE_ROW.match(body, previous_start)
    return body[:line_start] if is_first and len(body) - line_start < _MAX_HEADER_LENGTH else source


def _without_open_address(source: str, start: int) -> str:
    """`[text](https://half` is shown as its text."""
    middle = source.rfind("](", start)
    if middle < 0 or not _ADDRESS_SO_FAR.match(source, middle + 2):
        return source
    begin = source.rfind("[", start, middle)
    if begin < 0:
        return source
    return source[: begin - (source[begin - 1 : begin] == "!")] + source[begin + 1 : middle]


def _closing_marks(text: str) -> str:
    stripped = text.rstrip()
    if stripped != text:
        return ""
    if text.count("`") % 2:
        return "`"
    if text.count("**") % 2:
        # A lone `*` at the end is the first half of the closing mark.
        return (
            "*" if text.endswith("*") and not text.endswith("**") else "**" if not text.endswith("**") else ""
        )
    return ""
