"""Markdown that comes in pieces: blocks are closed for good as early as possible, so only the last one is parsed again.

What is closed depends on the text alone, never on how it was cut into pieces. That holds because CommonMark reads
line by line: once a line has opened a new block at the top, nothing later changes the blocks before it. Blocks without
an end (a paragraph of a whole book, a list item that holds everything) are cut at fixed places found from the text, so
that the cost of one more token is bounded.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from desktopapp.ui.conversation.blocks import Block, Code, Prose, Table
from desktopapp.ui.conversation.cuts import LINE_LIMIT, find_cut
from desktopapp.ui.conversation.fence import OpenFence, open_fence_of
from desktopapp.ui.conversation.parser import Unit, blocks_of, parse_units
from desktopapp.ui.conversation.sanitise import clean_markdown
from desktopapp.ui.conversation.tail import tidy_tail

SLICE_LENGTH = 2048
_LIST_MARKER = re.compile(r"( *)([-+*]|\d{1,9}[.)])( {1,4}|$)", re.MULTILINE)


class MarkdownStream:
    """Turns Markdown that is still being written into blocks."""

    def __init__(self) -> None:
        self._source = ""
        self._parsed_length = 0
        self._closed: list[Block] = []
        self._open: list[Block] | None = None
        self._fence: OpenFence | None = None
        self._number: int | None = None
        self._joined: tuple[int, int] | None = None
        self._columns: tuple[int, ...] = ()
        self._table_goes_on = False

    def feed(self, text: str) -> None:
        """Add text, cut anywhere."""
        cleaned = clean_markdown(text)
        for start in range(0, len(cleaned), SLICE_LENGTH):
            self._source += cleaned[start : start + SLICE_LENGTH]
            while self._advance():
                pass
        self._open = None

    def finish(self) -> None:
        """No more text comes: close what is open."""
        if self._source and not self._source.endswith("\n"):
            self._source += "\n"
        while self._advance():
            pass
        if self._fence is None:
            self._close(parse_units(self._source), self._source)
        self._source, self._open, self._fence = "", None, None

    def take_closed(self) -> list[Block]:
        """The blocks closed since the last call; they never change again."""
        closed, self._closed = self._closed, []
        return closed

    def open_blocks(self) -> list[Block]:
        """The rest as it looks now; may be other blocks after the next `feed`."""
        if self._open is None:
            if self._fence is not None:
                text = self._fence.preview(self._source)
                self._open = [Code(text, continued=True)] if text else []
            else:
                source = tidy_tail(self._source)
                self._open = self._blocks(parse_units(source), source)
        return self._open

    def _advance(self) -> bool:
        """Close one thing. False when more text is needed."""
        if self._fence is not None:
            return self._advance_fence(self._fence)
        complete = self._source.rfind("\n") + 1
        if len(self._source) - complete >= LINE_LIMIT:
            # Nothing that is still to come on so long a line changes what kind of line it is.
            complete = len(self._source)
        if complete <= self._parsed_length:
            return False
        self._parsed_length = complete
        return self._advance_block(self._source[:complete])

    def _advance_fence(self, fence: OpenFence) -> bool:
        text, used, ended = fence.read(self._source)
        if text:
            self._closed.append(Code(text, continued=True))
        self._source = self._source[used:]
        if ended:
            self._fence, self._parsed_length = None, 0
        return ended

    def _advance_block(self, source: str) -> bool:
        units = parse_units(source)
        starts = _line_starts(source)
        if not units:
            self._drop(len(source))
            return False
        first = units[0]
        if first.start_line:
            self._drop(starts[first.start_line])
            return True
        if self._close_finished(units, source, starts):
            return True
        end = starts[units[1].start_line] if len(units) > 1 else len(source)
        cut = find_cut(first.kind, source[:end], starts)
        if cut is not None:
            self._cut(first, cut, starts)
            return True
        fence = open_fence_of(first, source)
        if fence is not None and first.kind == "fence":
            self._close(units, source)
            self._drop(len(source))
            self._fence = fence
            return True
        return False

    def _close_finished(self, units: list[Unit], source: str, starts: list[int]) -> bool:
        """Close the units that others follow, up to the first that has to be cut. False when there is none."""
        count = 0
        for unit, following in pairwise(units):
            begin, end = starts[unit.start_line], starts[following.start_line]
            lines = [start - begin for start in starts[unit.start_line : following.start_line + 1]]
            if find_cut(unit.kind, source[begin:end], lines) is not None:
                break
            count += 1
        if not count:
            return False
        number = _numbers(units, self._number)[count]
        self._close(units[:count], source[: starts[units[count].start_line]])
        self._drop(starts[units[count].start_line])
        self._number = None if units[count].first_item else number
        return True

    def _cut(self, unit: Unit, cut: int, starts: list[int]) -> None:
        """Close a block before its end; the rest goes on with what it was in."""
        head, in_line = self._source[:cut], cut not in starts
        units = parse_units(head)
        columns = self._columns + _list_columns(head) if unit.kind == "item" else self._columns
        fence = None if in_line else open_fence_of(units[-1], head)
        self._close(units, head)
        table_head = self._source[: starts[2]] if unit.kind == "table" and not in_line else ""
        self._drop(cut)
        self._source = table_head + self._source
        self._table_goes_on = bool(table_head)
        self._columns, self._fence = columns, fence
        # A quote of nothing but marks closes no block.
        last = self._closed[-1] if self._closed else None
        self._joined = (last.indent, last.quote) if in_line and last else None

    def _drop(self, length: int) -> None:
        self._source = self._source[length:]
        self._parsed_length = 0

    def _close(self, units: list[Unit], source: str) -> None:
        """Close units for good and forget what only the first block of the rest had to know."""
        self._closed.extend(self._blocks(units, source))
        self._number = self._joined = None
        self._table_goes_on = False
        lines = source.split("\n")
        if not all(_indent_of(lines[unit.start_line], self._columns) for unit in units):
            self._columns = ()

    def _blocks(self, units: list[Unit], source: str) -> list[Block]:
        lines = source.split("\n")
        numbers = _numbers(units, self._number)
        blocks: list[Block] = []
        columns = self._columns
        for index, unit in enumerate(units):
            unit.number = numbers[index]
            next_line = units[index + 1].start_line if index + 1 < len(units) else len(lines)
            unit_lines = lines[unit.start_line : next_line]
            new = blocks_of(unit, unit_lines)
            indent, quote = _indent_of(unit_lines[0], columns), 0
            if not indent:
                columns = ()
            if index == 0 and self._joined is not None:
                indent, quote = self._joined
            if indent or quote:
                new = [
                    replace(
                        block,
                        indent=block.indent + indent,
                        quote=block.quote + quote,
                        quote_indent=block.quote_indent + indent,
                    )
                    for block in new
                ]
            blocks.extend(new)
        return self._marked(blocks)

    def _marked(self, blocks: list[Block]) -> list[Block]:
        """Say of the first block that it goes on the one before."""
        if blocks and self._joined is not None and isinstance(blocks[0], Prose):
            blocks[0] = replace(blocks[0], joined=True)
        if blocks and self._table_goes_on and isinstance(blocks[0], Table):
            blocks[0] = replace(blocks[0], continued=True)
        return blocks


def _indent_of(line: str, columns: tuple[int, ...]) -> int:
    """How many lists a line is in whose text began at these columns, before the last cut."""
    column = len(line) - len(line.lstrip(" "))
    return sum(content_column <= column for content_column in columns)


def _line_starts(source: str) -> list[int]:
    starts = [0]
    while position := source.find("\n", starts[-1]) + 1:
        starts.append(position)
    return starts


def _numbers(units: list[Unit], first_number: int | None) -> list[int | None]:
    """The numbers of items, where the first one goes on a list that counted to `first_number`."""
    numbers = [unit.number for unit in units]
    if first_number is None or numbers[0] is None:
        return numbers
    shift = first_number - numbers[0]
    for index, unit in enumerate(units):
        if unit.number is None or (index and unit.first_item):
            break
        numbers[index] = unit.number + shift
    return numbers


def _list_columns(source: str) -> tuple[int, ...]:
    """The columns at which the text of the lists begins that are open where the source ends."""
    columns: list[int] = []
    for match in _LIST_MARKER.finditer(source):
        if match.start() and source[match.start() - 1] != "\n":
            continue
        marker_column = len(match[1])
        while columns and marker_column < columns[-1]:
            columns.pop()
        columns.append(marker_column + len(match[2]) + (len(match[3]) or 1))
    return tuple(columns)
