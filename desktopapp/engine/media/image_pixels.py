"""Any decoded Pillow picture -> 8-bit RGB: transparency on white, deep samples scaled and not clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.TiffTags import TAGS_V2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from desktopapp.engine.backend import RgbArray

_BITS_PER_SAMPLE = next(tag for tag, info in TAGS_V2.items() if info.name == "BitsPerSample")
_PHOTOMETRIC = next(tag for tag, info in TAGS_V2.items() if info.name == "PhotometricInterpretation")
_WHITE_IS_ZERO = 0
_STRIP_PIXELS = 2**22

STRIPS_BYTES = 14 * _STRIP_PIXELS
"""What `to_rgb` takes at most beside the picture and its result; measured, docs/memory.md."""


def to_rgb(image: Image.Image) -> RgbArray:
    """The pixels of a loaded picture, as they look on white paper.

    Args:
        image: loaded, of any mode.

    Returns:
        uint8 (height, width, 3), RGB, contiguous, owned by the caller.
    """
    if image.mode.startswith("I;16"):
        return _grey(_from_uint16(image))
    if image.mode in ("I", "F"):
        return _grey(_from_wide_range(np.asarray(image)))
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        # Strip by strip: each step on the way is a copy, which of a large picture is hundreds of megabytes.
        strip = image.crop((0, top, width, min(top + rows, height)))
        flat = _on_white(strip) if image.has_transparency_data else strip.convert("RGB")
        pixels[top : top + rows] = np.asarray(flat)
    return pixels


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("RGB", rgba.size, "white")
    paper.paste(rgba, mask=rgba.getchannel("A"))
    return paper


def _grey(values: NDArray[np.uint8]) -> RgbArray:
    return np.ascontiguousarray(np.broadcast_to(values[..., None], (*values.shape, 3)))


def _from_uint16(image: Image.Image) -> NDArray[np.uint8]:
    """Grey of up to 16 bits a sample -> 8 bits; PNG's transparent grey becomes white."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    brightest = (1 << bits) - 1
    table = np.minimum((np.arange(65_536) * 255 + brightest // 2) // brightest, 255).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        table = 255 - table
    transparent = image.info.get("transparency")
    if isinstance(transparent, int) and 0 <= transparent < 65_536:
        table[transparent] = 255
    pixels: NDArray[np.uint8] = table[np.asarray(image).astype(np.uint16, copy=False)]
    return pixels


def _from_wide_range(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """32-bit integers or floats -> 8 bits.

    Nothing in such a file says which value is white. Values within 0..1 (floats), 0..255, or 0..65535 are
    taken to span that range; anything else is stretched from its darkest to its brightest value.
    """
    real = values.astype(np.float64)
    finite = np.isfinite(real)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = float(real[finite].min()), float(real[finite].max())
    if low >= 0:
        ranges = (1.0, 255.0, 65_535.0) if values.dtype.kind == "f" else (255.0, 65_535.0)
        low, high = 0.0, next((top for top in ranges if high <= top), high)
    real = np.nan_to_num(real, nan=low, posinf=high, neginf=low)
    span = high - low or 1.0
    return np.rint(np.clip((real - low) / span, 0.0, 1.0) * 255).astype(np.uint8)
