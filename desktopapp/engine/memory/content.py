"""What a request brings along: text and media before anybody decided how large they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from desktopapp.engine.media.pixel_budget import fit_grid
from desktopapp.engine.media.video_grid import fit_frames, pair_indices
from desktopapp.engine.memory.answer_room import EXPECTED_ANSWER_TOKENS
from desktopapp.engine.memory.workload import Picture, Workload
from desktopapp.engine.price_events import PlannedAttachment
from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget

# The tokens around a picture, and its number ("Picture 1: ").
_TOKENS_AROUND = 2
_LABEL_TOKENS = 4
# `<12.3 seconds>` in front of each pair of frames.
_TIME_TOKENS = 7

Size: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Still:
    """A picture: its file, its (width, height) in pixels, and tokens of text that stand with it."""

    path: str
    size: Size
    text_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """Pages that are shown as pictures: their sizes in pixels as they would be drawn, and tokens of text with each."""

    path: str
    pages: tuple[Size, ...]
    page_text_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Clip:
    """A video: the size of a frame and how many are sampled."""

    path: str
    size: Size
    frames: int


Medium: TypeAlias = Still | Document | Clip


@dataclass(frozen=True, slots=True)
class Showing:
    """How large and how much of the media the model is shown.

    Args:
        pixels: budget of a picture or page.
        video: budget of a video.
        most_frames: of a video; None for all that were sampled.
        segments: parts that the media are divided into.
    """

    pixels: PixelBudget
    video: VideoBudget
    most_frames: int | None = None
    segments: int = 1

    def with_most_tokens(self, tokens: int) -> Showing:
        """The same with a limit of visual tokens for each picture, page and pair of frames."""
        frame_pixels = tokens * self.video.cell_px**2
        return replace(
            self,
            pixels=self.pixels.limited(None, tokens),
            video=replace(self.video, max_frame_pixels=frame_pixels),
        )


@dataclass(frozen=True, slots=True)
class Content:
    """A whole request.

    Args:
        items: of the prompt in order; a number is so many tokens of text.
        answer_tokens: that there must be room for.
        needs_detail: the task reads or points, so pictures should keep 1,024 tokens.
        least_answer_tokens: that the model's context must leave; a shorter answer is none, or not what was asked for.
        cut_path: of the document or video that can be answered part by part (`engine/segments.py`); empty for none.
        least_picture_tokens: a picture of fewer is enlarged; None for the model's own limit.
    """

    items: tuple[int | Medium, ...]
    answer_tokens: int
    needs_detail: bool = True
    least_answer_tokens: int = 1
    cut_path: str = ""
    least_picture_tokens: int | None = None

    @property
    def media(self) -> tuple[Medium, ...]:
        """All that is not text."""
        return tuple(item for item in self.items if not isinstance(item, int))

    def workload(self, showing: Showing) -> Workload:
        """What this asks of memory; with segments, what the largest of them asks."""
        return _workload(self, showing)

    def most_segments(self, showing: Showing) -> int:
        """Parts that it can be cut into: one for each page, or pair of frames, of what can be cut."""
        whole = replace(showing, segments=1)
        return sum(1 for part, is_cut in _marked_parts(self, whole) if is_cut and isinstance(part, Picture))

    def largest_picture_tokens(self, showing: Showing) -> int:
        """Visual tokens of the most expensive picture, page or pair of frames; 0 without media."""
        tokens = (p.tokens for m in self.media for p in _parts(m, showing) if isinstance(p, Picture))
        return max(tokens, default=0)

    def most_frames(self) -> int:
        """Of the longest video."""
        return max((item.frames for item in self.items if isinstance(item, Clip)), default=0)

    def price(self, showing: Showing, kv_token_bytes: int) -> tuple[PlannedAttachment, ...]:
        """What each medium costs.

        Args:
            showing: how large and how much.
            kv_token_bytes: of one token in the KV cache.
        """
        return tuple(_price(medium, showing, kv_token_bytes) for medium in self.media)


SCREENSHOT = Content((Still("", (1920, 1080)), 1024), EXPECTED_ANSWER_TOKENS)
"""What a model is priced and made ready for before anything is asked: a screenshot and a page of text."""


# A plan asks for the same one several times, and for a hundred files it is most of the work.
@lru_cache(maxsize=8)
def _workload(content: Content, showing: Showing) -> Workload:
    parts = list(_marked_parts(content, showing))
    if showing.segments > 1:
        cut = [place for place, (part, is_cut) in enumerate(parts) if is_cut and isinstance(part, Picture)]
        behind = cut[-(-len(cut) // showing.segments) :]
        if behind:
            # The first is among the largest. What stands with the pages behind it goes along with them.
            parts = [one for place, one in enumerate(parts) if place < behind[0] or not one[1]]
    return Workload(tuple(part for part, _ in parts), content.answer_tokens)


def _marked_parts(content: Content, showing: Showing) -> Iterator[tuple[int | Picture, bool]]:
    """Everything in order, and whether it belongs to what can be cut."""
    for item in content.items:
        if isinstance(item, int):
            yield item, False
        else:
            is_cut = bool(content.cut_path) and item.path == content.cut_path
            yield from ((part, is_cut) for part in _parts(item, showing))


def shown_size(medium: Medium, showing: Showing) -> Size:
    """(width, height) in pixels of a picture, of the largest page, or of each frame."""
    if isinstance(medium, Clip):
        return fit_frames(*medium.size, shown_frames(medium, showing), showing.video)
    if isinstance(medium, Still):
        return fit_grid(*medium.size, showing.pixels)
    sizes = [fit_grid(*size, showing.pixels) for size in medium.pages]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def shown_frames(clip: Clip, showing: Showing) -> int:
    """Frames of a video that are looked at."""
    return clip.frames if showing.most_frames is None else min(clip.frames, showing.most_frames)


def _parts(medium: Medium, showing: Showing) -> Iterator[int | Picture]:
    if isinstance(medium, Clip):
        frames = shown_frames(medium, showing)
        picture = _picture(shown_size(medium, showing), showing.video.cell_px)
        yield _LABEL_TOKENS
        for _ in pair_indices(frames):
            yield _TIME_TOKENS + _TOKENS_AROUND
            yield picture
        return
    sizes = (medium.size,) if isinstance(medium, Still) else medium.pages
    text_tokens = medium.text_tokens if isinstance(medium, Still) else medium.page_text_tokens
    for size in sizes:
        yield _LABEL_TOKENS + _TOKENS_AROUND + text_tokens
        yield _picture(fit_grid(*size, showing.pixels), showing.pixels.cell_px)


def _picture(size: Size, cell_px: int) -> Picture:
    tokens = size[0] * size[1] // cell_px**2
    # Two by two patches become one token in every published member of the family.
    return Picture(tokens, 4 * tokens)


def _price(medium: Medium, showing: Showing, kv_token_bytes: int) -> PlannedAttachment:
    tokens = sum(part.tokens for part in _parts(medium, showing) if isinstance(part, Picture))
    return PlannedAttachment(
        path=medium.path,
        tokens=tokens,
        bytes=tokens * kv_token_bytes,
        size=shown_size(medium, showing),
        pages=len(medium.pages) if isinstance(medium, Document) else None,
        frames=shown_frames(medium, showing) if isinstance(medium, Clip) else None,
    )
