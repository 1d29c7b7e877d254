"""What a request asks of memory: runs of text and pictures, in the order of the prompt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, a page, or a pair of a video's frames, as the vision tower reads it at once.

    Args:
        tokens: visual tokens.
        patches: of the vision tower.
    """

    tokens: int
    patches: int


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture and the place of its first token in the prompt."""

    start: int
    picture: Picture

    @property
    def end(self) -> int:
        """One behind its last token."""
        return self.start + self.picture.tokens


@dataclass(frozen=True, slots=True)
class Workload:
    """One prompt and the answer to it.

    Args:
        parts: a number is so many tokens of text, those around pictures included.
        answer_tokens: that there must be room for.
    """

    parts: tuple[int | Picture, ...]
    answer_tokens: int
    pictures: tuple[PlacedPicture, ...] = field(init=False)
    prompt_tokens: int = field(init=False)
    # Where pictures begin and end, to find those of a chunk.
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _ends: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = [part if isinstance(part, int) else part.tokens for part in self.parts]
        starts = accumulate(lengths, initial=0)
        placed = tuple(
            PlacedPicture(start, part)
            for start, part in zip(starts, self.parts, strict=False)
            if isinstance(part, Picture)
        )
        object.__setattr__(self, "pictures", placed)
        object.__setattr__(self, "prompt_tokens", sum(lengths))
        object.__setattr__(self, "_starts", tuple(one.start for one in placed))
        object.__setattr__(self, "_ends", tuple(one.end for one in placed))

    @property
    def total_tokens(self) -> int:
        """Prompt and answer."""
        return self.prompt_tokens + self.answer_tokens

    @property
    def largest_picture(self) -> Picture:
        """The one of most patches; an empty one where there is none."""
        pictures = (placed.picture for placed in self.pictures)
        return max(pictures, key=lambda picture: picture.patches, default=Picture(0, 0))

    def with_prompt_tokens(self, tokens: int) -> Workload:
        """The same with its last text as long as the whole prompt turned out to be."""
        last = self.parts[-1] if self.parts else 0
        text = last if isinstance(last, int) else 0
        rest = self.parts[:-1] if isinstance(last, int) else self.parts
        return Workload((*rest, max(0, text + tokens - self.prompt_tokens)), self.answer_tokens)

    def answered_with(self, tokens: int) -> Workload:
        """The same with an answer of so many tokens."""
        return Workload(self.parts, tokens)

    def overlapping(self, start: int, end: int) -> tuple[PlacedPicture, ...]:
        """The pictures with tokens between two places."""
        return self.pictures[bisect_right(self._ends, start) : bisect_left(self._starts, end)]
