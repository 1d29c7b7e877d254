"""Turns text and pictures into token ids with their M-RoPE positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from desktopapp.engine.backend import (
    ImagePart,
    ImageSource,
    PixelBudget,
    PromptPart,
    TextPart,
    TokensPart,
    VideoPart,
)
from desktopapp.engine.media.pixel_budget import fit_grid
from desktopapp.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class PromptImage:
    """A picture and the tokens that its features replace.

    Args:
        source: where its pixels come from.
        width: that it is resized to, pixels.
        height: likewise.
        start: its first token.
        end: one behind its last token.
    """

    source: ImageSource
    width: int
    height: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """A prompt as the model takes it.

    Args:
        token_ids: one `image_token_id` for each visual token.
        images: in order.
        positions: int64 (3, tokens): M-RoPE's time, height and width.
    """

    token_ids: list[int]
    images: tuple[PromptImage, ...]
    positions: torch.Tensor

    @property
    def next_position(self) -> int:
        """Of what is generated: behind a picture that is one more than the largest, not than the last."""
        return int(self.positions.max()) + 1


def encode_prompt(
    parts: Sequence[PromptPart], config: Any, tokenizer: Any, budget: PixelBudget
) -> EncodedPrompt:
    """Tokenise a prompt; pictures are measured, not decoded.

    Args:
        parts: of the prompt; at least one token comes of them.
        config: of the network; knows the token ids.
        tokenizer: of transformers.
        budget: that pictures are fitted to.

    Raises:
        ValueError: the template's text has an image placeholder that no picture belongs to.
    """
    token_ids: list[int] = []
    images: list[PromptImage] = []
    for part in _join_texts(parts):
        if isinstance(part, ImagePart):
            _add_image(part, config, budget, token_ids, images)
        elif isinstance(part, TokensPart):
            # A placeholder that the model wrote stands for no picture.
            media = (config.image_token_id, config.video_token_id)
            token_ids += [token for token in part.token_ids if token not in media]
        elif isinstance(part, VideoPart):
            raise BackendUnavailable(backend="transformers", reason="it does not read videos yet")
        else:
            token_ids += _tokenise(part, config, tokenizer)
    return EncodedPrompt(token_ids, tuple(images), mrope_positions(len(token_ids), images, budget.cell_px))


def _join_texts(parts: Iterable[PromptPart]) -> Iterator[PromptPart]:
    """Join neighbouring texts of the same sort: a word is not to be cut where the engine cut its parts."""
    joined: TextPart | None = None
    for part in parts:
        if isinstance(part, TextPart) and joined and part.parse_special == joined.parse_special:
            joined = TextPart(joined.text + part.text, joined.parse_special)
            continue
        if joined:
            yield joined
        joined = part if isinstance(part, TextPart) else None
        if not isinstance(part, TextPart):
            yield part
    if joined:
        yield joined


def _add_image(
    part: ImagePart, config: Any, budget: PixelBudget, token_ids: list[int], images: list[PromptImage]
) -> None:
    width, height = fit_grid(part.image.width, part.image.height, part.pixel_budget or budget)
    token_ids.append(config.vision_start_token_id)
    start = len(token_ids)
    token_ids += [config.image_token_id] * (width * height // budget.cell_px**2)
    images.append(PromptImage(part.image, width, height, start, len(token_ids)))
    token_ids.append(config.vision_end_token_id)


def _tokenise(part: TextPart, config: Any, tokenizer: Any) -> list[int]:
    token_ids: list[int] = tokenizer(
        part.text, add_special_tokens=False, split_special_tokens=not part.parse_special, verbose=False
    )["input_ids"]
    if config.image_token_id in token_ids or config.video_token_id in token_ids:
        raise ValueError("a media placeholder stands in the prompt's text")
    return token_ids


def mrope_positions(tokens: int, images: Sequence[PromptImage], cell_px: int) -> torch.Tensor:
    """Positions of a prompt's tokens.

    Text counts up in all three; a picture's tokens share one time and count rows and columns from it; what follows
    begins behind the longer side. Source: `get_rope_index` of Qwen3-VL in transformers.

    Args:
        tokens: in all.
        images: in order.
        cell_px: side of the square of one visual token.

    Returns:
        int64 (3, tokens): time, height, width.
    """
    positions = torch.empty((3, tokens), dtype=torch.long)
    done = position = 0
    for image in images:
        text = image.start - done
        positions[:, done : image.start] = torch.arange(position, position + text)
        position += text
        rows, columns = image.height // cell_px, image.width // cell_px
        cells = torch.arange(rows * columns)
        places = torch.stack([torch.zeros_like(cells), cells // columns, cells % columns])
        positions[:, image.start : image.end] = places + position
        position += max(rows, columns)
        done = image.end
    positions[:, done:] = torch.arange(position, position + tokens - done)
    return positions
