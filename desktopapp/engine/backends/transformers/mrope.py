"""Positions of a prompt's tokens in M-RoPE's three counts."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from desktopapp.engine.backends.transformers.prompt_media import PromptImage


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
