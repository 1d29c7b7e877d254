"""Where to cut a block that does not end, found from its text alone."""

from __future__ import annotations

UNIT_LIMIT = 3000
LINE_LIMIT = 2000
TABLE_ROWS = 12

_SENTENCE_ENDS = "。！？；.!?;"


def find_cut(kind: str, source: str, starts: list[int]) -> int | None:
    """Where a block that begins at 0 is cut, or None where it is not (yet).

    Args:
        kind: of the unit.
        source: of the unit, as far as it has come.
        starts: offsets of the lines of a source that begins with this one.
    """
    if kind == "fence":
        return None
    inside = _cut_in_line(source, starts, 4 * LINE_LIMIT if kind == "table" else LINE_LIMIT)
    between = _table_cut(source, starts) if kind == "table" else _cut_between_lines(kind, source, starts)
    found = [cut for cut in (inside, between) if cut is not None]
    return min(found, default=None)


def _table_cut(source: str, starts: list[int]) -> int | None:
    line = TABLE_ROWS + 2
    return starts[line] if line < len(starts) and starts[line] < len(source) else None


def _cut_between_lines(kind: str, source: str, starts: list[int]) -> int | None:
    """A line of a paragraph that begins with a letter begins a paragraph as well: the cut changes nothing."""
    for start in starts:
        if UNIT_LIMIT <= start < len(source) and (
            kind != "paragraph" or source[start].isalpha() or start >= 2 * UNIT_LIMIT
        ):
            return start
    return None


def _cut_in_line(source: str, starts: list[int], limit: int) -> int | None:
    for start, end in zip(starts, [*starts[1:], len(source)], strict=True):
        if start >= len(source):
            return None
        if end - start > limit:
            cut = _cut_line(source[start : min(end, len(source))], limit)
            if cut is not None:
                return start + cut
    return None


def _cut_line(line: str, limit: int) -> int | None:
    """After a sentence, else after a word, else before a letter, else anywhere: each tried a stretch further on."""
    stretches = (
        (limit, limit * 3 // 2, _ends_sentence),
        (limit * 3 // 2, limit * 2, _ends_word),
        (limit * 2, limit * 4, _precedes_letter),
    )
    for begin, end, accepts in stretches:
        for position in range(begin, min(end, len(line) - 1)):
            if accepts(line, position):
                return position
        if len(line) - 1 < end:
            return None
    return limit * 4


def _precedes_letter(line: str, position: int) -> bool:
    return line[position].isalpha()


def _ends_word(line: str, position: int) -> bool:
    before = line[position - 1]
    return (
        line[position].isalpha()
        and (before == " " or before in _SENTENCE_ENDS)
        and _is_balanced(line[:position])
    )


def _ends_sentence(line: str, position: int) -> bool:
    before = line[position - 1]
    if before == " ":
        before = line[position - 2]
    elif before.isascii():
        return False
    return before in _SENTENCE_ENDS and _ends_word(line, position)


def _is_balanced(text: str) -> bool:
    """No emphasis, code or link is open at the end, as far as counting tells."""
    return (
        text.count("**") % 2 == 0
        and text.count("`") % 2 == 0
        and text.count("[") == text.count("]")
        and text.count("(") == text.count(")")
    )
