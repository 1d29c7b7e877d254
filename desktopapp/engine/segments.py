"""How a document or video that is too long for one prompt is cut into segments, and what is asked of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.selection_text import format_time
from desktopapp.engine.request import Attachment, Request, Role, Stretch, Turn

if TYPE_CHECKING:
    from desktopapp.engine.media.headers import HeaderCache, MediaHeader

_SHORTEST_S = 4.0
_FEWEST_FRAMES = 2
# Of a prompt's room; the rest is for the question, the template and the answer.
_FILLING = 0.6
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of one attachment.

    Args:
        attachment: with the part selected.
        first: page, or second.
        last: page, or second.
        is_pages: pages; else seconds.
    """

    attachment: Attachment
    first: float
    last: float
    is_pages: bool

    @property
    def stretch(self) -> Stretch:
        """What of which file it is."""
        frames = self.attachment.selection.frames or 0
        return Stretch(self.attachment.path, self.first, self.last, self.is_pages, frames)

    def label(self, *, in_chinese: bool) -> str:
        """`Pages 11–20`, `Page 3`, `1:00–2:00`, in either language."""
        if not self.is_pages:
            return f"{format_time(self.first)}–{format_time(self.last)}"
        first, last = round(self.first), round(self.last)
        if in_chinese:
            return f"第 {first} 页" if first == last else f"第 {first}–{last} 页"
        return f"Page {first}" if first == last else f"Pages {first}–{last}"

    def halves(self) -> list[Segment]:
        """Two of half the length, or nothing where it cannot be cut any more."""
        if self.is_pages:
            count = round(self.last - self.first) + 1
            return _pages(self.attachment, round(self.first), round(self.last), 2) if count > 1 else []
        span_s = self.last - self.first
        frames = self.attachment.selection.frames or 0
        if span_s <= _SHORTEST_S or frames < 2 * _FEWEST_FRAMES:
            return []
        return _seconds(self.attachment, self.first, self.last, 2, frames)


def parts_needed(tokens: int, limit: int) -> int:
    """How many segments a prompt is cut into.

    Args:
        tokens: of the whole prompt.
        limit: that one prompt can have, above 0.
    """
    return max(2, math.ceil(tokens / (limit * _FILLING)))


def cut_request(request: Request, headers: HeaderCache, parts: int) -> list[Segment]:
    """Cut the longest document or video of a question.

    Args:
        request: whose last turn holds the question.
        headers: reads files.
        parts: how many to make, at least two; fewer come of a short one.

    Returns:
        Segments in order; nothing where there is nothing to cut.

    Raises:
        AttachmentError: a file cannot be used.
    """
    read = [(one, headers.read(one)) for one in request.turns[-1].attachments]
    longest = max(read, key=lambda pair: _length(pair[1]), default=None)
    if longest is None or _length(longest[1]) < 2:
        return []
    attachment, header = longest
    chosen = attachment.selection
    if header.kind is MediaKind.DOCUMENT:
        last_page = chosen.last_page or header.page_count
        return _pages(attachment, chosen.first_page, last_page, parts)
    end_s = header.duration_s if chosen.end_s is None else min(chosen.end_s, header.duration_s)
    return _seconds(attachment, chosen.start_s, end_s, parts, header.frames)


def segment_of(request: Request, stretch: Stretch) -> Segment | None:
    """The part of a question's file that a stretch names; None where the file is not attached any more."""
    attached = next((one for one in request.turns[-1].attachments if one.path == stretch.path), None)
    if attached is None:
        return None
    if stretch.is_pages:
        return _pages_segment(attached, round(stretch.first), round(stretch.last))
    return _seconds_segment(attached, stretch.first, stretch.last, stretch.frames)


def segment_request(request: Request, segment: Segment, number: int, total: int) -> Request:
    """The question about one segment; earlier turns keep their words and lose their files.

    Args:
        request: the whole one.
        segment: the part.
        number: of it, from 1.
        total: of all.
    """
    question = request.turns[-1]
    in_chinese = is_chinese(question.text)
    label, name = segment.label(in_chinese=in_chinese), PurePath(segment.attachment.path).name
    if in_chinese:
        unit = "页码" if segment.is_pages else "时间"
        note = f"\n\n（这是“{name}”的第 {number} 部分，共 {total} 部分：{label}。只回答这一部分，每条内容都注明{unit}。）"
    else:
        unit = "page" if segment.is_pages else "time"
        note = (
            f"\n\n(This is part {number} of {total} of “{name}”: {label}. Answer for this part only, and name the "
            f"{unit} of each statement.)"
        )
    attachments = tuple(
        segment.attachment if one.path == segment.attachment.path else one for one in question.attachments
    )
    turn = replace(question, text=question.text + note, attachments=attachments)
    return replace(request, turns=without_earlier_files((*request.turns[:-1], turn)))


def merge_request(request: Request, answers: Sequence[tuple[str, str]]) -> Request:
    """Ask to make one answer of several.

    Args:
        request: the whole one.
        answers: label and text of each part.
    """
    question = request.turns[-1].text
    parts = "\n\n".join(f"[{label}]\n{text.strip()}" for label, text in answers)
    if is_chinese(question):
        words = f"以下是对同一问题在各部分得到的回答。\n\n问题：{question}\n\n{parts}\n\n请合并成一个完整的回答，保留每条内容的页码或时间，不要添加新内容。"
    else:
        words = (
            f"These are answers to one question, each for a part of the whole.\n\nQuestion: {question}\n\n{parts}\n\n"
            "Make one answer of them. Keep the page or time of each statement, and add nothing."
        )
    return replace(request, turns=(Turn(Role.USER, words),))


def is_chinese(text: str) -> bool:
    """Whether a question is asked in Chinese."""
    return bool(_CHINESE.search(text))


def without_earlier_files(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Turns of which only the last keeps its files."""
    return (*(replace(turn, attachments=()) for turn in turns[:-1]), *turns[-1:])


def _length(header: MediaHeader) -> int:
    return len(header.sizes) if header.kind is MediaKind.DOCUMENT else header.frames


def _pages(attachment: Attachment, first: int, last: int, parts: int) -> list[Segment]:
    each = math.ceil((last - first + 1) / max(1, parts))
    starts = range(first, last + 1, each)
    return [_pages_segment(attachment, start, min(start + each - 1, last)) for start in starts]


def _pages_segment(attachment: Attachment, first: int, last: int) -> Segment:
    selection = replace(attachment.selection, first_page=first, last_page=last)
    return Segment(replace(attachment, selection=selection), first, last, is_pages=True)


def _seconds(attachment: Attachment, start_s: float, end_s: float, parts: int, frames: int) -> list[Segment]:
    """Stretches that share the frames of the whole: in parts it is not looked at more often than at once."""
    each = max(_SHORTEST_S / 2, (end_s - start_s) / max(1, parts))
    count = max(1, math.ceil((end_s - start_s) / each - 1e-6))
    segments = []
    for number in range(count):
        first = round(start_s + number * each, 2)
        last = round(min(first + each, end_s), 2)
        segments.append(
            _seconds_segment(attachment, first, last, max(_FEWEST_FRAMES, math.ceil(frames / count)))
        )
    return segments


def _seconds_segment(attachment: Attachment, start_s: float, end_s: float, frames: int) -> Segment:
    selection: MediaSelection = replace(attachment.selection, start_s=start_s, end_s=end_s, frames=frames)
    return Segment(replace(attachment, selection=selection), start_s, end_s, is_pages=False)
