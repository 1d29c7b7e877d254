"""From a conversation and its files to what they ask of memory, from headers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from desktopapp.engine.backend import ImagePart, PromptPart, TextPart, TokensPart, VideoPart
from desktopapp.engine.events import PlannedAttachment
from desktopapp.engine.media.attachment import MediaKind, open_media
from desktopapp.engine.memory.content import Clip, Content, Document, Medium, Still
from desktopapp.engine.request import Attachment, Turn
from desktopapp.engine.routing.router import Task

EXPECTED_ANSWER_TOKENS = 2048
"""Room for an answer whose length nobody set. Longer ones go on for as long as memory lasts: the plan says how far."""

# `<|im_start|>user\n` ... `<|im_end|>\n`, and the opening of the answer.
_TURN_TOKENS = 5
_OPENING_TOKENS = 3
_SEEN_AT_A_GLANCE = frozenset({Task.DESCRIPTION, Task.CHAT, Task.LOOKING, Task.WRITING, Task.FACT})

CountTokens = Callable[[str], int]


def content_of_turns(
    turns: Sequence[Turn],
    system: str | None,
    answer_tokens: int,
    count: CountTokens,
    *,
    needs_detail: bool = True,
) -> Content:
    """What a conversation asks, before its model is loaded.

    Args:
        turns: of the conversation.
        system: prompt, or None.
        answer_tokens: that there must be room for.
        count: tokens of a text.
        needs_detail: see `Content`.

    Raises:
        AttachmentError: a file cannot be used.
    """
    items: list[int | Medium] = []
    if system:
        items.append(_TURN_TOKENS + count(system))
    for turn in turns:
        for attachment in turn.attachments:
            items += open_medium(attachment, count)
        items.append(_TURN_TOKENS + count(turn.text))
    return Content((*items, _OPENING_TOKENS), answer_tokens, needs_detail)


def content_of_parts(
    parts: Iterable[PromptPart], answer_tokens: int, count: CountTokens, *, needs_detail: bool = True
) -> Content:
    """What a rendered prompt asks, each page as a picture of its own.

    Args:
        parts: of the prompt.
        answer_tokens: that there must be room for.
        count: tokens of a text.
        needs_detail: see `Content`.
    """
    items: list[int | Medium] = []
    for part in parts:
        if isinstance(part, TextPart):
            items.append(count(part.text))
        elif isinstance(part, TokensPart):
            items.append(len(part.token_ids))
        elif isinstance(part, ImagePart):
            items.append(Still(part.image.path, (part.image.width, part.image.height)))
        elif isinstance(part, VideoPart):
            video = part.video
            items.append(Clip(video.path, (video.width, video.height), len(video.frame_times_s)))
    return Content(tuple(items), answer_tokens, needs_detail)


def open_medium(attachment: Attachment, count: CountTokens) -> Iterator[int | Medium]:
    """What one file shows, and the text of its pages where that is wanted.

    Raises:
        AttachmentError: it cannot be used.
    """
    media = open_media(attachment.path, attachment.selection)
    try:
        if media.video is not None:
            size = (media.video.width, media.video.height)
            yield Clip(attachment.path, size, len(media.video.frame_times_s))
            return
        sizes = tuple((picture.width, picture.height) for picture in media.pictures)
        if media.kind is MediaKind.DOCUMENT:
            yield Document(attachment.path, sizes)
            texts = (getattr(page, "text", str)() for page in media.pictures)
            if attachment.selection.page_text:
                yield sum(count(text) for text in texts)
            return
        yield Still(attachment.path, sizes[0])
    finally:
        media.close()


def is_seen_at_a_glance(task: Task | None) -> bool:
    """Whether a task does without small text and exact places."""
    return task in _SEEN_AT_A_GLANCE


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
            pages=(last.pages or 1) + 1,
        )
    return tuple(joined)
