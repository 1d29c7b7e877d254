"""Turns keys and values into the codes that the cache keeps, and back.

Each vector (one token, one head) gets scales of its own when it is stored, so nothing that comes later can clip it.
Scales are bfloat16, which no magnitude of a model's numbers overflows, and rounded up, so that the largest number of
a vector always has a code. Codes are unsigned on every device:

- `int8`: value / scale + 128.
- `fp8_*`: the bits of the 8-bit float of value / scale; the largest number of a vector gets the largest code.
- `int4`: levels are (code - 7.5) * scale, sixteen of them, symmetric and without a zero. The two halves of a vector's
  channels have a scale each.

Two or four codes share 16 bits, lowest first: code j of unit u is channel j * units + u. So one load of 16-bit units
gives, by masking, runs of channels that matrix units take as they are.
"""

from __future__ import annotations

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


def rotate_stored(vectors: torch.Tensor) -> torch.Tensor:
    """Rotate keys or values (..., head_dim) to the basis in which they are stored: by H / 2^ceil(n / 2).

    H is Sylvester's Hadamard matrix of +1 and -1, 2^n its size. Powers of two keep its numbers exact in every type;
    together with those of `rotate_query` they make H H / 2^n = 1.
    """
    return vectors @ _hadamard(vectors.shape[-1], False, vectors.device, vectors.dtype)


def rotate_query(vectors: torch.Tensor) -> torch.Tensor:
    """Rotate queries so that their products with stored keys are right, or outputs of stored values back."""
    return vectors @ _hadamard(vectors.shape[-1], True, vectors.device, vectors.dtype)


@cache
def _hadamard(size: int, is_query: bool, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    matrix = torch.ones(1, 1)
    while matrix.shape[0] < size:
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return (matrix * rotation_scale(size, is_query=is_query)).to(device=device, dtype=dtype)


def rotation_scale(size: int, *, is_query: bool) -> float:
    """The power of two in `rotate_query` or `rotate_stored` of vectors of `size`, itself a power of two."""
    halvings = size.bit_length() - 1
    return 1 / (1 << (halvings // 2 if is_query else halvings - halvings // 2))


def _round_up(scales: torch.Tensor) -> torch.Tensor:
    """To bfloat16, never below: what the cut of a float32 to its upper half would lose is added before."""
    scales = scales.clamp_min(MIN_SCALE)
    bits = (scales.view(torch.int32) + 0xFFFF) & ~0xFFFF
    return torch.where(scales.isfinite(), bits.view(torch.float32), scales).to(torch.bfloat16)


def _codes(scaled: torch.Tensor, name: str) -> torch.Tensor:
    if name == "int4":
        levels = (scaled + INT4_MIDDLE).round().clamp(0, 15).to(torch.uint8)
        first, second, third, fourth = levels.chunk(4, -1)
        return torch.stack((first | second << 4, third | fourth << 4), -1).flatten(-2)
    if name == "int8":
        codes = (scaled.round() + INT8_ZERO).to(torch.uint8)
    else:
        codes = scaled.to(_FLOAT8[name]).view(torch.uint8)
    return torch.stack(codes.chunk(2, -1), -1).flatten(-2)


def _values(codes: torch.Tensor, name: str) -> torch.Tensor:
    even, odd = codes[..., 0::2], codes[..., 1::2]
    if name == "int4":
        return torch.cat((even & 15, even >> 4, odd & 15, odd >> 4), -1).float().sub(INT4_MIDDLE)
    in_order = torch.cat((even, odd), -1)
    if name == "int8":
        return in_order.float().sub(INT8_ZERO)
    return in_order.view(_FLOAT8[name]).float()
