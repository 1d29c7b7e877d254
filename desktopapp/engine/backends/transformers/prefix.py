"""How much of a prompt is already evaluated: the longest run that it shares with a sequence that is kept."""

from __future__ import annotations

from collections.abc import Sequence

from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_sequence import Contents
from desktopapp.engine.cancel import CancelToken

WORTH_TAKING_BACK_TOKENS = 64
"""Fewer tokens of text are evaluated sooner than a saved sequence is copied."""

# Lists are compared piece by piece: five times sooner than as arrays, which must be made first.
_COMPARED_TOKENS = 4096


def shared_tokens(
    prompt: EncodedPrompt, contents: Contents, pictures: PromptPictures, cancel: CancelToken
) -> int:
    """Tokens at the beginning of the prompt that a sequence holds just so.

    The last one never counts: only evaluating it gives the logits that the answer begins with. A picture counts
    whole or not at all.

    Args:
        prompt: in order.
        contents: of the sequence.
        pictures: of the prompt; one is decoded where the sequence has one of its size in its place.
        cancel: read before each picture.

    Raises:
        AttachmentError: a picture cannot be decoded.
        Cancelled: the token was set.
    """
    count = _shared_ids(prompt.token_ids[:-1], contents.token_ids)
    cached = {image.start: image for image in contents.images}
    for image in prompt.images:
        if image.start >= count:
            break
        cancel.raise_if_cancelled()
        there = cached.get(image.start)
        if (
            there is None
            or image.end > count
            or there.end != image.end
            or there.pixels_id != pictures.pixels_id(image)
        ):
            return image.start
    return count


def best_match(
    prompt: EncodedPrompt, candidates: Sequence[Contents], pictures: PromptPictures, cancel: CancelToken
) -> tuple[int, int]:
    """Find the sequence that begins most like the prompt.

    Args:
        prompt: in order.
        candidates: what the cache holds, then saved ones, which must gain a picture or
            `WORTH_TAKING_BACK_TOKENS` to be chosen.
        pictures: see `shared_tokens`.
        cancel: likewise.

    Returns:
        Place of the candidate, and tokens that it shares.
    """
    best, most = 0, shared_tokens(prompt, candidates[0], pictures, cancel)
    for place, contents in enumerate(candidates[1:], start=1):
        count = shared_tokens(prompt, contents, pictures, cancel)
        gains_picture = any(most <= image.start and image.end <= count for image in prompt.images)
        if count >= most + WORTH_TAKING_BACK_TOKENS or (gains_picture and count > most):
            best, most = place, count
    return best, most


def _shared_ids(first: Sequence[int], second: Sequence[int]) -> int:
    length = min(len(first), len(second))
    for start in range(0, length, _COMPARED_TOKENS):
        pieces = [list(ids[start : min(start + _COMPARED_TOKENS, length)]) for ids in (first, second)]
        if pieces[0] != pieces[1]:
            return start + next(place for place, (a, b) in enumerate(zip(*pieces, strict=True)) if a != b)
    return length
