"""From a conversation and its files to what they ask of memory, without decoding anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from desktopapp.engine.chat_prompt import ChatMedia
from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.memory.content import Clip, Content, Document, Medium, Still
from desktopapp.engine.price_events import PlannedAttachment
from desktopapp.engine.prompt_parts import ImagePart, VideoPart
from desktopapp.engine.request import Attachment, Request
from desktopapp.engine.routing.features import media_kind

if TYPE_CHECKING:
    from desktopapp.engine.media.headers import HeaderCache

# `<|im_start|>user\n` ... `<|im_end|>\n`, and the opening of the answer.
_TURN_TOKENS = 5
_OPENING_TOKENS = 3
# Of a printed page, where its text goes along and was not read yet.
_PAGE_TEXT_TOKENS = 700
# "Page 12 of report.pdf: "
_PAGE_NAME_TOKENS = 8

CountTokens = Callable[[str], int]


def content_of_headers(
    request: Request, headers: HeaderCache, answer_tokens: int, count: CountTokens, *, needs_detail: bool
) -> Content:
    """What a conversation asks, from its files' headers alone.

    Args:
        request: of the person.
        headers: of files.
        answer_tokens: that there must be room for.
        count: tokens of a text.
        needs_detail: see `Content`.

    Raises:
        AttachmentError: a file cannot be used.
    """
    media = [
        [list(_of_file(attachment, headers)) for attachment in turn.attachments] for turn in request.turns
    ]
    flat = [[item for items in turn for item in items] for turn in media]
    return _content(request, flat, answer_tokens, count, needs_detail=needs_detail)


def content_of_media(
    request: Request,
    media: Sequence[Sequence[ChatMedia]],
    answer_tokens: int,
    count: CountTokens,
    *,
    needs_detail: bool,
) -> Content:
    """What a conversation asks whose files were opened; each page is a picture of its own.

    Args:
        request: of the person.
        media: what each turn shows.
        answer_tokens: that there must be room for.
        count: tokens of a text.
        needs_detail: see `Content`.
    """
    shown = [[item for one in turn for item in _of_part(one, count)] for turn in media]
    return _content(request, shown, answer_tokens, count, needs_detail=needs_detail)


def joined_by_file(prices: Iterable[PlannedAttachment]) -> tuple[PlannedAttachment, ...]:
    """Neighbours of one path as one attachment: the pages of a document."""
    joined: list[PlannedAttachment] = []
    for price in prices:
        last = joined[-1] if joined else None
        if last is None or last.path != price.path or price.frames is not None:
            joined.append(price)
            continue
        joined[-1] = PlannedAttachment(
            path=price.path,
            tokens=last.tokens + price.tokens,
            bytes=last.bytes + price.bytes,
            size=max(last.size, price.size, key=lambda size: size[0] * size[1]),
            pages=(last.pages or 1) + (price.pages or 1),
        )
    return tuple(joined)


def _content(
    request: Request,
    media: Sequence[Iterable[int | Medium]],
    answer_tokens: int,
    count: CountTokens,
    *,
    needs_detail: bool,
) -> Content:
    items: list[int | Medium] = []
    if request.system:
        items.append(_TURN_TOKENS + count(request.system))
    shown = [tuple(turn) for turn in media]
    for turn, own in zip(request.turns, shown, strict=True):
        items += own
        items.append(_TURN_TOKENS + count(turn.text))
    if request.begun is not None:
        items.append(count(request.begun.thought + request.begun.text))
    least_answer_tokens = request.max_new_tokens or 1
    cut_path = _cut_path(shown[-1]) if shown else ""
    return Content(
        (*items, _OPENING_TOKENS),
        answer_tokens,
        needs_detail,
        least_answer_tokens,
        cut_path,
        request.least_picture_tokens,
    )


def _of_file(attachment: Attachment, headers: HeaderCache) -> Iterator[int | Medium]:
    header = headers.read(attachment)
    if header.frames:
        yield Clip(attachment.path, header.sizes[0], header.frames)
    elif header.kind is MediaKind.DOCUMENT:
        text_tokens = _PAGE_TEXT_TOKENS if attachment.selection.page_text else 0
        yield Document(attachment.path, header.sizes, _PAGE_NAME_TOKENS + text_tokens)
    else:
        yield Still(attachment.path, header.sizes[0])


def _of_part(shown: ChatMedia, count: CountTokens) -> Iterator[int | Medium]:
    part = shown.part
    text_tokens = sum(count(text) for text in (shown.before, shown.after) if text)
    if isinstance(part, ImagePart):
        yield Still(part.image.path, (part.image.width, part.image.height), text_tokens)
        return
    if text_tokens:
        yield text_tokens
    if isinstance(part, VideoPart):
        yield Clip(part.video.path, (part.video.width, part.video.height), len(part.video.frame_times_s))


def _cut_path(last_turn: Iterable[int | Medium]) -> str:
    """The longest document or video of the question, which `segments.cut_request` would cut; empty for none."""
    lengths: Counter[str] = Counter()
    for item in last_turn:
        if isinstance(item, Clip):
            lengths[item.path] += item.frames
        elif isinstance(item, Document):
            lengths[item.path] += len(item.pages)
        elif isinstance(item, Still) and media_kind(item.path) is MediaKind.DOCUMENT:
            lengths[item.path] += 1
    ((path, length),) = lengths.most_common(1) or [("", 0)]
    return path if length > 1 else ""
