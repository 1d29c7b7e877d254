"""Pictures on their way into the language model: pixels, patches, features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray


@dataclass(frozen=True, slots=True)
class VisualFeatures:
    """What the language model is given instead of image tokens.

    Args:
        merged: (visual tokens, hidden).
        deepstack: the same shape once for each DeepStack layer.
    """

    merged: torch.Tensor
    deepstack: tuple[torch.Tensor, ...]

    def part(self, start: int, end: int) -> VisualFeatures:
        """The features of some of the tokens; shares memory."""
        return VisualFeatures(self.merged[start:end], tuple(layer[start:end] for layer in self.deepstack))


@dataclass(frozen=True, slots=True)
class PatchRule:
    """How pixels become patches.

    Args:
        patch_px: side of a patch.
        merge: patches a side of the square that becomes one visual token.
        frames: that one patch spans; a still picture is repeated.
        mean: of red, green, blue, 0..1, which is subtracted.
        deviation: by which they are divided then.
    """

    patch_px: int
    merge: int
    frames: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def grid(self, width: int, height: int) -> tuple[int, int]:
        """Rows and columns of patches of a picture, its sides in pixels."""
        return height // self.patch_px, width // self.patch_px


def shown_pixels(pixels: RgbArray, width: int, height: int) -> RgbArray:
    """Resize a picture as the model's own image processor does.

    Args:
        pixels: uint8 (any height, any width, 3), RGB, 0..255.
        width: to resize to, in pixels, whole cells.
        height: likewise.

    Returns:
        uint8 (height, width, 3), contiguous.
    """
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def make_patches(
    frames: list[RgbArray], rule: PatchRule, device: torch.device, dtype: torch.dtype
) -> torch.Tensor:
    """Cut pixels into normalised patches.

    Args:
        frames: uint8 (height, width, 3), RGB, whole cells: one picture, or as many of a video as a patch spans.
        rule: of the model.
        device: to do it on; only the bytes of the pixels are sent there.
        dtype: of the result.

    Returns:
        (patches, channels x frames x patch height x patch width) in the order of the merge blocks.
    """
    mean, deviation = (
        torch.tensor(values, device=device).view(3, 1, 1, 1) for values in (rule.mean, rule.deviation)
    )
    # (channels, frames, height, width)
    stack = torch.stack([torch.from_numpy(frame).to(device).permute(2, 0, 1) for frame in frames], 1)
    normal = ((stack.float() / 255 - mean) / deviation).to(dtype)
    if len(frames) < rule.frames:
        normal = normal.expand(3, rule.frames, *normal.shape[2:])
    rows, columns = (side // (rule.patch_px * rule.merge) for side in normal.shape[2:])
    cells = normal.reshape(
        3, rule.frames, rows, rule.merge, rule.patch_px, columns, rule.merge, rule.patch_px
    )
    return cells.permute(2, 5, 3, 6, 0, 1, 4, 7).reshape(rows * columns * rule.merge**2, -1)
