"""A prompt as pieces to evaluate, counted before any picture is decoded."""

from __future__ import annotations

import ctypes
import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from desktopapp.engine.backends.llama_cpp.failures import run_failure
from desktopapp.engine.backends.llama_cpp.library import log, mtmd
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.media.pixel_budget import fit_grid
from desktopapp.engine.media.video_grid import fit_frames, pair_indices, pair_texts
from desktopapp.engine.prompt_parts import (
    ImagePart,
    ImageSource,
    PixelBudget,
    PromptPart,
    TextPart,
    TokensPart,
    VideoBudget,
    VideoPart,
    VideoSource,
)

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Tokens of text that stand together."""

    tokens: tuple[int, ...]

    @property
    def cells(self) -> int:
        """Cells of the KV cache that it takes."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class FramePair:
    """Two frames of a video that the vision tower reads as one; an odd last one twice.

    Args:
        video: where their pixels come from.
        first: index of a sampled frame.
        second: likewise.
    """

    video: VideoSource
    first: int
    second: int

    @property
    def frames(self) -> tuple[int, ...]:
        """Those that are decoded."""
        return (self.first,) if self.first == self.second else (self.first, self.second)


@dataclass(frozen=True, slots=True)
class ImagePiece:
    """A picture, or a pair of a video's frames, without the tokens around it.

    Args:
        number: among these pieces, from 0.
        index: of the picture or video in the prompt, from 0.
        shown: where its pixels come from.
        width: that the model is shown, pixels.
        height: likewise.
        cells: visual tokens; each takes a cell.
        whole_tokens: visual tokens of the picture or video that is complete with it; 0 where more pairs follow.
    """

    number: int
    index: int
    shown: ImageSource | FramePair
    width: int
    height: int
    cells: int
    whole_tokens: int


_Measured: TypeAlias = TextPart | TokensPart | ImagePiece


def split_prompt(
    prompt: Sequence[PromptPart], weights: Weights, pictures: PixelBudget, videos: VideoBudget
) -> list[TextPiece | ImagePiece]:
    """Tokenise the text and size the pictures and videos.

    Args:
        prompt: in order.
        weights: whose vocabulary is used.
        pictures: budget of those that have none of their own.
        videos: likewise.

    Neighbouring text becomes one piece, the tokens around a picture included, but what a person wrote is
    tokenised apart from the template's text, so that they never merge. A video becomes pairs of frames, each
    behind its time in words, which is text of the template.
    """
    start, _, end = weights.image_tokens
    pieces: list[TextPiece | ImagePiece] = []
    tokens: list[int] = []
    for is_special, group in itertools.groupby(_measured(prompt, pictures, videos), _sort_of_part):
        for part in _join(group, is_special):
            if isinstance(part, ImagePiece):
                pieces += [TextPiece((*tokens, start)), part]
                tokens = [end]
            elif isinstance(part, TokensPart):
                tokens += part.token_ids
            else:
                tokens += weights.tokenize(part.text, parse_special=part.parse_special)
    return [*pieces, TextPiece(tuple(tokens))] if tokens else pieces


def prompt_token_ids(pieces: Sequence[TextPiece | ImagePiece], image_pad: int) -> set[int]:
    """The ids that stand in a prompt, a picture's place-holder included."""
    ids = {token for piece in pieces if isinstance(piece, TextPiece) for token in piece.tokens}
    return ids | ({image_pad} if any(isinstance(piece, ImagePiece) for piece in pieces) else set())


def read_pixels(piece: ImagePiece, cancel: CancelToken) -> tuple[RgbArray, ...]:
    """Decode a picture, or the two frames of a pair: uint8 (height, width, 3), RGB, in the size that is shown.

    They are resized as transformers' processors do it. mtmd's own resizing differs visibly in the logits, so it is
    given pictures that need none.

    Args:
        piece: to decode.
        cancel: read between the frames.

    Raises:
        AttachmentError: it cannot be decoded.
        Cancelled: the token was set.
    """
    if not isinstance(piece.shown, FramePair):
        return (_resize(piece.shown.decode(), piece),)
    frames = []
    for index in piece.shown.frames:
        cancel.raise_if_cancelled()
        frames.append(_resize(piece.shown.video.decode(index), piece))
    return frames[0], frames[-1]


def _resize(pixels: RgbArray, piece: ImagePiece) -> RgbArray:
    if pixels.shape[:2] == (piece.height, piece.width):
        return np.ascontiguousarray(pixels)
    size = (piece.width, piece.height)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


@contextmanager
def image_chunk(weights: Weights, pixels: Sequence[RgbArray], pixels_id: str) -> Iterator[Any]:
    """A picture or a pair of frames as a chunk of mtmd, freed at the end.

    Args:
        weights: loaded.
        pixels: one array or two, uint8 (height, width, 3), RGB, in the size that the model is shown.
        pixels_id: their hash, which becomes the id of the bitmaps.

    Raises:
        UnexpectedError: mtmd refused it.
    """
    count = len(pixels)
    bitmaps = (mtmd.mtmd_bitmap_p_ctypes * count)(*(_bitmap(array, pixels_id, count > 1) for array in pixels))
    chunks = mtmd.mtmd_input_chunks_init()
    try:
        # Two mergeable bitmaps side by side become one chunk.
        markers = mtmd.mtmd_default_marker() * count
        text = mtmd.mtmd_input_text(markers, len(markers), False, True)
        log.forget()
        code = mtmd.mtmd_tokenize(weights.projector, chunks, ctypes.byref(text), bitmaps, count)
        chunk = _only_image(chunks) if code == 0 else None
        if chunk is None:
            raise run_failure("reading a picture", code, log.trouble())
        yield chunk
    finally:
        mtmd.mtmd_input_chunks_free(chunks)
        for bitmap in bitmaps:
            mtmd.mtmd_bitmap_free(bitmap)


def _bitmap(pixels: RgbArray, pixels_id: str, mergeable: bool) -> Any:
    height, width = pixels.shape[:2]
    # mtmd copies the pixels.
    bitmap = mtmd.mtmd_bitmap_init(width, height, pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)))
    mtmd.mtmd_bitmap_set_id(bitmap, pixels_id.encode())
    mtmd.mtmd_bitmap_set_mergeable(bitmap, mergeable)
    return bitmap


def encode_image(weights: Weights, chunk: Any, cancel: CancelToken) -> Any:
    """Run the vision tower; the embeddings, float32 (tokens, width), are mtmd's and last until the next call.

    Args:
        weights: loaded.
        chunk: from `image_chunk`.
        cancel: read between operations of the graph.

    Raises:
        Cancelled: the token was set.
        OutOfMemory: memory ran out.
        UnexpectedError: it failed otherwise.
    """
    log.forget()
    with weights.vision_stop.by(cancel):
        code = mtmd.mtmd_encode_chunk(weights.projector, chunk)
    if code:
        raise run_failure("looking at a picture", code, log.trouble())
    return mtmd.mtmd_get_output_embd(weights.projector)


def _sort_of_part(part: _Measured) -> bool | None:
    return part.parse_special if isinstance(part, TextPart) else None


def _join(group: Iterable[_Measured], is_special: bool | None) -> Iterator[_Measured]:
    """Neighbouring texts of one sort as one text; everything else as it is."""
    if is_special is None:
        yield from group
        return
    text = "".join(part.text for part in group if isinstance(part, TextPart))
    # Qwen's tokenizer composes characters first; llama.cpp leaves that to its caller.
    yield TextPart(unicodedata.normalize("NFC", text), is_special)


def _measured(
    prompt: Iterable[PromptPart], pictures: PixelBudget, videos: VideoBudget
) -> Iterator[_Measured]:
    """Parts with pictures and frames in the size that the model is shown, and with the times of frames."""
    number = index = 0
    for part in prompt:
        if isinstance(part, ImagePart):
            budget = part.pixel_budget or pictures
            width, height = fit_grid(part.image.width, part.image.height, budget)
            cells = width * height // budget.cell_px**2
            yield ImagePiece(number, index, part.image, width, height, cells, cells)
            number, index = number + 1, index + 1
        elif isinstance(part, VideoPart):
            for text, piece in _frame_pairs(part, number, index, part.budget or videos):
                yield TextPart(text)
                yield piece
                number += 1
            index += 1
        else:
            yield part


def _frame_pairs(
    part: VideoPart, number: int, index: int, budget: VideoBudget
) -> Iterator[tuple[str, ImagePiece]]:
    video, count = part.video, len(part.video.frame_times_s)
    width, height = fit_frames(video.width, video.height, count, budget)
    cells = width * height // budget.cell_px**2
    pairs = pair_indices(count)
    for place, (text, pair) in enumerate(zip(pair_texts(video.frame_times_s), pairs, strict=True)):
        whole_tokens = cells * len(pairs) if place == len(pairs) - 1 else 0
        shown = FramePair(video, *pair)
        yield text, ImagePiece(number + place, index, shown, width, height, cells, whole_tokens)


def _only_image(chunks: Any) -> Any:
    """The image among chunks, which has its start and end tokens as text around it."""
    for index in range(mtmd.mtmd_input_chunks_size(chunks)):
        chunk = mtmd.mtmd_input_chunks_get(chunks, index)
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE:
            return chunk
    return None
