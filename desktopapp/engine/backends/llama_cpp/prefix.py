"""How much of a prompt is already evaluated: the longest run that it shares with a sequence that is kept.

Text is compared run by run, not token by token: a prompt may have hundreds of thousands.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias

from desktopapp.engine.backend import ImageEvaluated
from desktopapp.engine.backends.llama_cpp.cached_sequence import CachedImage, CachedSequence, Unit
from desktopapp.engine.backends.llama_cpp.prompt import ImagePiece, TextPiece
from desktopapp.engine.backends.llama_cpp.prompt_images import PromptImages
from desktopapp.engine.cancel import CancelToken

Piece: TypeAlias = TextPiece | ImagePiece
"""A run of text tokens, or a picture that may not be decoded yet: one unit for each token, and one for a picture."""

WORTH_RESTORING_TOKENS = 64
"""Fewer tokens of text are evaluated sooner than a saved state is copied."""


def pieces_after(pieces: Sequence[Piece], count: int) -> list[Piece]:
    """What is left of a prompt behind its first `count` units."""
    left: list[Piece] = []
    for piece in pieces:
        units = _units(piece)
        if count >= units:
            count -= units
            continue
        left.append(TextPiece(piece.tokens[count:]) if isinstance(piece, TextPiece) and count else piece)
        count = 0
    return left


def match_prefix(
    prompt: Sequence[Piece],
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
    left = sum(map(_units, prompt)) - 1
    alive, count = list(candidates), 0
    live_count, gained_image = 0, False
    for piece in prompt:
        is_image = isinstance(piece, ImagePiece)
        if is_image:
            cancel.raise_if_cancelled()
        wanted = min(_units(piece), left)
        shared = [_shared_units(piece, wanted, candidate.units, count, images) for candidate in alive]
        longest = max(shared)
        if not longest:
            break
        if alive[0] is candidates[0]:
            live_count += shared[0]
        alive = [candidate for candidate, units in zip(alive, shared, strict=True) if units == longest]
        gained_image |= is_image and alive[0] is not candidates[0]
        count += longest
        left -= longest
        if isinstance(piece, ImagePiece) and piece.whole_tokens:
            yield ImageEvaluated(piece.index, piece.whole_tokens)
        if longest < _units(piece):
            break
    if count - live_count < WORTH_RESTORING_TOKENS and not gained_image:
        count, alive = live_count, list(candidates)
    return count - _opens_image(prompt, count), alive[0]


def _units(piece: Piece) -> int:
    return len(piece.tokens) if isinstance(piece, TextPiece) else 1


def _shared_units(piece: Piece, wanted: int, cached: Sequence[Unit], start: int, images: PromptImages) -> int:
    """How many of a piece's first `wanted` units stand in a sequence from `start` on."""
    if isinstance(piece, ImagePiece):
        return int(wanted > 0 and start < len(cached) and _is_same_image(piece, cached[start], images))
    tokens, there = list(piece.tokens[:wanted]), cached[start : start + wanted]
    if tokens == there:
        return wanted
    return next(
        (place for place, pair in enumerate(zip(tokens, there, strict=False)) if pair[0] != pair[1]),
        len(there),
    )


def _is_same_image(piece: ImagePiece, cached: Unit, images: PromptImages) -> bool:
    return (
        isinstance(cached, CachedImage)
        and cached.cells == piece.cells
        and cached.pixels_id == images.pixels_id(piece)
    )


def _opens_image(pieces: Sequence[Piece], count: int) -> bool:
    """Whether a picture comes behind `count` units and text before it, which ends with its opening token."""
    begin, follows_text = 0, False
    for piece in pieces:
        if begin == count:
            return follows_text and isinstance(piece, ImagePiece)
        begin += _units(piece)
        follows_text = isinstance(piece, TextPiece)
    return False
