"""Runs one picture through the vision tower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
class EncoderOutputs:
    """Features of one or more pictures in the form that transformers takes as `mm_encoder_outputs["image"]`.

    Args:
        pooler_output: merged features of each picture.
        deepstack_features: for each DeepStack layer those of each picture.
    """

    pooler_output: tuple[torch.Tensor, ...]
    deepstack_features: list[tuple[torch.Tensor, ...]]

    @classmethod
    def of(cls, features: Sequence[VisualFeatures]) -> EncoderOutputs:
        """Join pictures, or parts of pictures, in the order of their tokens."""
        layers = zip(*(picture.deepstack for picture in features), strict=True)
        return cls(tuple(picture.merged for picture in features), [tuple(layer) for layer in layers])


def make_patches(
    pixels: RgbArray, width: int, height: int, processor: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Resize a picture and cut it into patches.

    Args:
        pixels: uint8 (any height, any width, 3), RGB, 0..255.
        width: to resize to, in pixels, whole cells.
        height: likewise.
        processor: transformers' image processor.

    Returns:
        float32 (patches, channels x frames x patch height x patch width), normalised, in the order of the
        merge blocks; and int64 (1, 3), time, rows and columns of patches.
    """
    picture = Image.fromarray(pixels)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    batch = processor(images=[picture], do_resize=False, return_tensors="pt")
    return batch["pixel_values"], batch["image_grid_thw"]


@torch.inference_mode()
def encode_patches(network: Any, patches: torch.Tensor, grid: torch.Tensor) -> VisualFeatures:
    """Run the vision tower on one picture.

    Args:
        network: of transformers.
        patches: from `make_patches`.
        grid: likewise.
    """
    device = network.device
    output = network.model.get_image_features(patches.to(device), grid.to(device))
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return VisualFeatures(output.pooler_output[0], tuple(layer[0] for layer in output.deepstack_features))
