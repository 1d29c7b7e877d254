"""Turns text and pictures into token ids with their M-RoPE positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from desktopapp.engine.backend import LoadedModel
from desktopapp.engine.backends.transformers.mrope import mrope_positions
from desktopapp.engine.backends.transformers.prompt_media import PromptImage, VideoFrame
from desktopapp.engine.media.pixel_budget import fit_grid
from desktopapp.engine.media.video_grid import fit_frames, pair_indices, pair_texts
from desktopapp.engine.prompt_parts import ImagePart, ImageSource, PromptPart, TextPart, TokensPart, VideoPart


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
    parts: Sequence[PromptPart], config: Any, tokenizer: Any, facts: LoadedModel
) -> EncodedPrompt:
    """Tokenise a prompt; pictures and videos are measured, not decoded.

    Args:
        parts: of the prompt; at least one token comes of them.
        config: of the network; knows the token ids.
        tokenizer: of transformers.
        facts: budgets that pictures and videos are fitted to.

    Raises:
        ValueError: the template's text has a placeholder that no picture or video belongs to.
    """
    builder = _Builder(config, facts)
    for part in _join_texts(_spread(parts, facts)):
        if isinstance(part, TextPart):
            builder.token_ids += _tokenise(part, config, tokenizer)
        elif isinstance(part, TokensPart):
            # A placeholder that the model wrote stands for no picture.
            media = (config.image_token_id, config.video_token_id)
            builder.token_ids += [token for token in part.token_ids if token not in media]
        else:
            builder.add(part)
    token_ids, images = builder.token_ids, builder.images
    positions = mrope_positions(len(token_ids), images, facts.pixel_budget.cell_px)
    return EncodedPrompt(token_ids, tuple(images), positions)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture, or a pair of frames, that takes its place; see `PromptImage`."""

    frames: tuple[ImageSource, ...]
    width: int
    height: int
    media: int
    media_tokens: int
    is_video: bool


def _spread(parts: Iterable[PromptPart], facts: LoadedModel) -> Iterator[TextPart | TokensPart | _Shown]:
    """Measure pictures; take videos apart into times and pairs of frames."""
    media = 0
    for part in parts:
        if isinstance(part, ImagePart):
            image = part.image
            size = fit_grid(image.width, image.height, part.pixel_budget or facts.pixel_budget)
            tokens = size[0] * size[1] // facts.pixel_budget.cell_px**2
            yield _Shown((image,), *size, media, tokens, is_video=False)
            media += 1
        elif isinstance(part, VideoPart):
            yield from _spread_video(part, media, facts)
            media += 1
        else:
            yield part


def _spread_video(part: VideoPart, media: int, facts: LoadedModel) -> Iterator[TextPart | _Shown]:
    video, budget = part.video, part.budget or facts.video_budget
    times = video.frame_times_s
    size = fit_frames(video.width, video.height, len(times), budget)
    pairs = pair_indices(len(times))
    tokens = len(pairs) * size[0] * size[1] // facts.pixel_budget.cell_px**2
    for number, (pair, text) in enumerate(zip(pairs, pair_texts(times), strict=True), start=1):
        yield TextPart(text)
        # An odd last frame stands for two; it is decoded once.
        frames = tuple(VideoFrame(video, index) for index in dict.fromkeys(pair))
        yield _Shown(frames, *size, media, tokens if number == len(pairs) else 0, is_video=True)


def _join_texts(parts: Iterable[TextPart | TokensPart | _Shown]) -> Iterator[TextPart | TokensPart | _Shown]:
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


class _Builder:
    """Token ids and pictures of a prompt in the making."""

    def __init__(self, config: Any, facts: LoadedModel) -> None:
        self.token_ids: list[int] = []
        self.images: list[PromptImage] = []
        self._config = config
        self._cell_px = facts.pixel_budget.cell_px

    def add(self, shown: _Shown) -> None:
        """Add a picture or a pair of frames, between the tokens that open and close it."""
        config = self._config
        self.token_ids.append(config.vision_start_token_id)
        start = len(self.token_ids)
        count = shown.width * shown.height // self._cell_px**2
        self.token_ids += [config.video_token_id if shown.is_video else config.image_token_id] * count
        place = (shown.width, shown.height, start, start + count)
        self.images.append(PromptImage(shown.frames, *place, shown.media, shown.media_tokens))
        self.token_ids.append(config.vision_end_token_id)


def _tokenise(part: TextPart, config: Any, tokenizer: Any) -> list[int]:
    token_ids: list[int] = tokenizer(
        part.text, add_special_tokens=False, split_special_tokens=not part.parse_special, verbose=False
    )["input_ids"]
    if config.image_token_id in token_ids or config.video_token_id in token_ids:
        raise ValueError("a media placeholder stands in the prompt's text")
    return token_ids
