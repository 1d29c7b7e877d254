"""Turns keys and values into the codes that the cache keeps, and back.

Each vector (one token, one head) gets scales of its own when it is stored, so nothing that comes later can clip it.
Scales are bfloat16, which no magnitude of a model's numbers overflows, and rounded up, so that the largest number of
a vector always has a code. Codes are unsigned bytes on every device:

- `int8`: value / scale + 128.
- `fp8_*`: the bits of the 8-bit float of value / scale; the largest number of a vector gets the largest code.
- `int4`: levels are (code - 7.5) * scale, sixteen of them, symmetric and without a zero. Two halves of a vector's
  channels have a scale each; byte c holds channel c in its low and channel c + head_dim / 2 in its high four bits.
"""

from __future__ import annotations

import math
from functools import cache

import torch

from desktopapp.engine.memory.kv_format import KvFormat

INT8_ZERO = 128
INT4_MIDDLE = 7.5
# Smallest scale: far below what a model computes, far above where products with it would vanish.
MIN_SCALE = 2.0**-64
_FLOAT8 = {"fp8_e4m3": torch.float8_e4m3fn, "fp8_e5m2": torch.float8_e5m2}
# Codes reach this multiple of a scale.
LARGEST_CODE = {"int8": 127.0, "fp8_e4m3": 448.0, "fp8_e5m2": 57344.0, "int4": 8.0}


def encode(vectors: torch.Tensor, kv_format: KvFormat) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantise vectors.

    Args:
        vectors: float (..., head_dim), rotated already where the format wants it.
        kv_format: a quantised one.

    Returns:
        uint8 (..., `kv_format.vector_bytes`) codes and bfloat16 (..., groups) scales.
    """
    grouped = vectors.float().view(*vectors.shape[:-1], kv_format.scale_groups, -1)
    scales = _round_up(grouped.abs().amax(-1) / LARGEST_CODE[kv_format.name])
    scaled = (grouped / scales.float().unsqueeze(-1)).flatten(-2)
    return _codes(scaled, kv_format.name), scales


def decode(
    codes: torch.Tensor, scales: torch.Tensor, kv_format: KvFormat, dtype: torch.dtype
) -> torch.Tensor:
    """Undo `encode`.

    Args:
        codes: uint8 (..., bytes).
        scales: bfloat16 (..., groups).
        kv_format: that they were written in.
        dtype: of the result.

    Returns:
        (..., head_dim) vectors, still rotated where the format is.
    """
    values = _values(codes, kv_format.name)
    grouped = values.view(*scales.shape, -1) * scales.float().unsqueeze(-1)
    return grouped.flatten(-2).to(dtype)


@cache
def hadamard(size: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """The orthonormal, symmetric Hadamard matrix, its own inverse (Sylvester's construction).

    Args:
        size: a power of two.
        device: where it is needed.
        dtype: of the result.

    Returns:
        (size, size).
    """
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while matrix.shape[0] < size:
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return (matrix / math.sqrt(size)).to(device=device, dtype=dtype)


def rotate(vectors: torch.Tensor) -> torch.Tensor:
    """Rotate (..., head_dim) by the Hadamard matrix, which spreads an outlying channel over all; its own inverse."""
    matrix = hadamard(vectors.shape[-1], vectors.device, torch.float32)
    rotated: torch.Tensor = vectors.float() @ matrix
    return rotated.to(vectors.dtype)


def _round_up(scales: torch.Tensor) -> torch.Tensor:
    """To bfloat16, never below: what the cut of a float32 to its upper half would lose is added before."""
    scales = scales.clamp_min(MIN_SCALE)
    bits = (scales.view(torch.int32) + 0xFFFF) & ~0xFFFF
    return torch.where(scales.isfinite(), bits.view(torch.float32), scales).to(torch.bfloat16)


def _codes(scaled: torch.Tensor, name: str) -> torch.Tensor:
    if name == "int8":
        return (scaled.round() + INT8_ZERO).to(torch.uint8)
    if name == "int4":
        levels = (scaled + INT4_MIDDLE).round().clamp(0, 15).to(torch.uint8)
        low, high = levels.chunk(2, -1)
        return low | (high << 4)
    return scaled.to(_FLOAT8[name]).view(torch.uint8)


def _values(codes: torch.Tensor, name: str) -> torch.Tensor:
    if name == "int8":
        return codes.float().sub(INT8_ZERO)
    if name == "int4":
        return torch.cat((codes & 15, codes >> 4), -1).float() - INT4_MIDDLE
    return codes.view(_FLOAT8[name]).float()
