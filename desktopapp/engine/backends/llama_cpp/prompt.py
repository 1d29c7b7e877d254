"""A prompt as pieces to evaluate, counted before any picture is decoded."""

from __future__ import annotations

import ctypes
import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from desktopapp.engine.backend import (
    ImagePart,
    ImageSource,
    PixelBudget,
    PromptPart,
    TextPart,
    TokensPart,
    VideoPart,
)
from desktopapp.engine.backends.llama_cpp.failures import run_failure
from desktopapp.engine.backends.llama_cpp.library import log, mtmd
from desktopapp.engine.backends.llama_cpp.weights import Weights
from desktopapp.engine.media.pixel_budget import fit_grid
from desktopapp.errors import BackendUnavailable

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
class ImagePiece:
    """A picture without the tokens around it.

    Args:
        index: of the picture in the prompt, from 0.
        image: where its pixels come from.
        width: that the model is shown, pixels.
        height: likewise.
        cells: visual tokens; each takes a cell.
    """

    index: int
    image: ImageSource
    width: int
    height: int
    cells: int


def split_prompt(
    prompt: Sequence[PromptPart], weights: Weights, budget: PixelBudget
) -> list[TextPiece | ImagePiece]:
    """Tokenise the text and size the pictures.

    Neighbouring text becomes one piece, the tokens around a picture included, but what a person wrote is
    tokenised apart from the template's text, so that they never merge.
    """
    start, _, end = weights.image_tokens
    pieces: list[TextPiece | ImagePiece] = []
    tokens: list[int] = []
    images = 0
    for is_special, group in itertools.groupby(prompt, _sort_of_part):
        for part in _join(group, is_special):
            if isinstance(part, VideoPart):
                raise BackendUnavailable(backend="llama.cpp", reason="it does not read videos yet")
            if isinstance(part, ImagePart):
                pieces.append(TextPiece((*tokens, start)))
                pieces.append(_image_piece(images, part.image, part.pixel_budget or budget))
                images += 1
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


def read_pixels(piece: ImagePiece) -> RgbArray:
    """Decode a picture and resize it as transformers' image processor does: uint8 (height, width, 3), RGB.

    mtmd's own resizing differs visibly in the logits, so it is given pictures that need none.

    Raises:
        AttachmentError: it cannot be decoded.
    """
    pixels = piece.image.decode()
    if pixels.shape[:2] == (piece.height, piece.width):
        return np.ascontiguousarray(pixels)
    size = (piece.width, piece.height)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


@contextmanager
def image_chunk(weights: Weights, pixels: RgbArray, pixels_id: str) -> Iterator[Any]:
    """One picture as a chunk of mtmd, freed at the end.

    Args:
        weights: loaded.
        pixels: uint8 (height, width, 3), RGB, in the size that the model is shown.
        pixels_id: their hash, which becomes the bitmap's id.

    Raises:
        UnexpectedError: mtmd refused it.
    """
    height, width = pixels.shape[:2]
    # mtmd copies the pixels.
    data = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
    bitmap = mtmd.mtmd_bitmap_init(width, height, data)
    mtmd.mtmd_bitmap_set_id(bitmap, pixels_id.encode())
    chunks = mtmd.mtmd_input_chunks_init()
    try:
        marker = mtmd.mtmd_default_marker()
        text = mtmd.mtmd_input_text(marker, len(marker), False, True)
        bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
        log.forget()
        code = mtmd.mtmd_tokenize(weights.projector, chunks, ctypes.byref(text), bitmaps, 1)
        chunk = _only_image(chunks) if code == 0 else None
        if chunk is None:
            raise run_failure("reading a picture", code, log.trouble())
        yield chunk
    finally:
        mtmd.mtmd_input_chunks_free(chunks)
        mtmd.mtmd_bitmap_free(bitmap)


def encode_image(weights: Weights, chunk: Any) -> Any:
    """Run the vision tower; the embeddings, float32 (tokens, width), are mtmd's and last until the next call.

    Raises:
        OutOfMemory: memory ran out.
        UnexpectedError: it failed otherwise.
    """
    log.forget()
    code = mtmd.mtmd_encode_chunk(weights.projector, chunk)
    if code:
        raise run_failure("looking at a picture", code, log.trouble())
    return mtmd.mtmd_get_output_embd(weights.projector)


def _sort_of_part(part: PromptPart) -> bool | None:
    return part.parse_special if isinstance(part, TextPart) else None


def _join(group: Iterable[PromptPart], is_special: bool | None) -> Iterator[PromptPart]:
    """Neighbouring texts of one sort as one text; everything else as it is."""
    if is_special is None:
        yield from group
        return
    text = "".join(part.text for part in group if isinstance(part, TextPart))
    # Qwen's tokenizer composes characters first; llama.cpp leaves that to its caller.
    yield TextPart(unicodedata.normalize("NFC", text), is_special)


def _image_piece(index: int, image: ImageSource, budget: PixelBudget) -> ImagePiece:
    width, height = fit_grid(image.width, image.height, budget)
    return ImagePiece(index, image, width, height, width * height // budget.cell_px**2)


def _only_image(chunks: Any) -> Any:
    """The image among chunks, which has its start and end tokens as text around it."""
    for index in range(mtmd.mtmd_input_chunks_size(chunks)):
        chunk = mtmd.mtmd_input_chunks_get(chunks, index)
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE:
            return chunk
    return None
