"""How much of a prompt is already evaluated: the longest run that it shares with a sequence that is kept."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias

from desktopapp.engine.backend import ImageEvaluated
from desktopapp.engine.backends.llama_cpp.cached_sequence import CachedImage, CachedSequence, Unit
from desktopapp.engine.backends.llama_cpp.prompt import ImagePiece, TextPiece
from desktopapp.engine.backends.llama_cpp.prompt_images import PromptImages
from desktopapp.engine.cancel import CancelToken

PromptUnit: TypeAlias = int | ImagePiece
"""A text token, or a picture that may not be decoded yet."""

WORTH_RESTORING_TOKENS = 64
"""Fewer tokens of text are evaluated sooner than a saved state is copied."""


def units_of(pieces: Sequence[TextPiece | ImagePiece]) -> list[PromptUnit]:
    """A prompt as units."""
    units: list[PromptUnit] = []
    for piece in pieces:
        units += [piece] if isinstance(piece, ImagePiece) else piece.tokens
    return units


def pieces_of(units: Sequence[PromptUnit]) -> list[TextPiece | ImagePiece]:
    """Units as pieces to evaluate."""
    pieces: list[TextPiece | ImagePiece] = []
    tokens: list[int] = []
    for unit in units:
        if isinstance(unit, ImagePiece):
            pieces += [TextPiece(tuple(tokens)), unit] if tokens else [unit]
            tokens = []
        else:
            tokens.append(unit)
    return [*pieces, TextPiece(tuple(tokens))] if tokens else pieces


def match_prefix(
    prompt: Sequence[PromptUnit],
    candidates: Sequence[CachedSequence],
    images: PromptImages,
    cancel: CancelToken,
) -> Generator[ImageEvaluated, None, tuple[int, CachedSequence]]:
    """Find the candidate that begins most like the prompt.

    The first candidate is what the cache holds; another one must save a picture or `WORTH_RESTORING_TOKENS`.
    The last unit is never matched: only evaluating it gives the logits that the answer begins with. Nor is
    the opening token of a picture without its picture.

    Args:
        prompt: in order.
        candidates: one or more.
        images: of the prompt; a picture is decoded where a candidate has one of its size in its place.
        cancel: read before each picture.

    Yields:
        A step for each picture and each video that matches.

    Returns:
        Units that match, and the candidate.

    Raises:
        AttachmentError: a picture cannot be decoded.
        Cancelled: the token was set.
    """
    alive, count, live_count = list(candidates), 0, 0
    for unit in prompt[:-1]:
        if isinstance(unit, ImagePiece):
            cancel.raise_if_cancelled()
        going = [
            candidate
            for candidate in alive
            if count < len(candidate.units) and _same(unit, candidate.units[count], images)
        ]
        if not going:
            break
        alive = going
        count += 1
        if alive[0] is candidates[0]:
            live_count = count
        if isinstance(unit, ImagePiece) and unit.whole_tokens:
            yield ImageEvaluated(unit.index, unit.whole_tokens)
    gained = prompt[live_count:count]
    if len(gained) < WORTH_RESTORING_TOKENS and not any(isinstance(unit, ImagePiece) for unit in gained):
        count, alive = live_count, list(candidates)
    if count and isinstance(prompt[count], ImagePiece) and not isinstance(prompt[count - 1], ImagePiece):
        count -= 1
    return count, alive[0]


def _same(unit: PromptUnit, cached: Unit, images: PromptImages) -> bool:
    if not isinstance(unit, ImagePiece):
        return unit == cached
    return (
        isinstance(cached, CachedImage)
        and cached.cells == unit.cells
        and cached.pixels_id == images.pixels_id(unit)
    )
