"""What `codec.py` does, inside kernels: the same codes and scales, bit for bit.

Codes become float16, in which every one is exact: 8-bit floats and integers have fewer digits, and scales are
applied elsewhere, in float32. Bits are rearranged by hand, so e4m3 works on cards whose compiler does not know it.

`is_packed` selects PTX for NVIDIA that turns four codes in one register into four float16 in two; without it the
same is written in Triton, which its interpreter understands.
"""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.codec import MIN_SCALE
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit

_MIN_SCALE = tl.constexpr(MIN_SCALE)
# 0x64 above a byte is 1024 + byte; 1152 = 0x6480 is taken off.
_INT8_PTX = tl.constexpr(
    """{
    .reg .b32 upper, offset;
    mov.b32 upper, 0x64646464;
    mov.b32 offset, 0x64806480;
    prmt.b32 $0, $2, upper, 0x4140;
    prmt.b32 $1, $2, upper, 0x4342;
    sub.f16x2 $0, $0, offset;
    sub.f16x2 $1, $1, offset;
    }"""
)
# 0x60 above twice a level is 512 + level; 519.5 = 0x600F is taken off.
_INT4_PTX = tl.constexpr(
    """{
    .reg .b32 upper, offset, doubled;
    mov.b32 upper, 0x60606060;
    mov.b32 offset, 0x600F600F;
    shl.b32 doubled, $2, 1;
    and.b32 doubled, doubled, 0x1E1E1E1E;
    prmt.b32 $0, doubled, upper, 0x4140;
    prmt.b32 $1, doubled, upper, 0x4342;
    sub.f16x2 $0, $0, offset;
    sub.f16x2 $1, $1, offset;
    }"""
)
# A float16 has e5m2's exponent, and e4m3's with a bias of 15 in place of 7: 256 = 0x5C00 makes up for it.
_E4M3_PTX = tl.constexpr(
    """{
    .reg .b32 low, high, sign, factor;
    mov.b32 factor, 0x5C005C00;
    prmt.b32 low, $2, 0, 0x1404;
    prmt.b32 high, $2, 0, 0x3424;
    and.b32 sign, low, 0x80008000;
    and.b32 low, low, 0x7F007F00;
    shr.b32 low, low, 1;
    or.b32 low, low, sign;
    and.b32 sign, high, 0x80008000;
    and.b32 high, high, 0x7F007F00;
    shr.b32 high, high, 1;
    or.b32 high, high, sign;
    mul.f16x2 $0, low, factor;
    mul.f16x2 $1, high, factor;
    }"""
)
_E5M2_PTX = tl.constexpr(
    """{
    prmt.b32 $0, $2, 0, 0x1404;
    prmt.b32 $1, $2, 0, 0x3424;
    }"""
)


@jit
def decode_codes(codes: tl.tensor, kind: tl.constexpr, is_packed: tl.constexpr) -> tl.tensor:
    """float16 of uint8 codes of any shape; of `int4` the low four bits of each."""
    if is_packed:
        if kind == "int8":
            return _run_ptx(codes, _INT8_PTX)
        if kind == "int4":
            return _run_ptx(codes, _INT4_PTX)
        if kind == "fp8_e4m3":
            return _run_ptx(codes, _E4M3_PTX)
        return _run_ptx(codes, _E5M2_PTX)
    if kind == "int8":
        return codes.to(tl.float16) - 128.0
    if kind == "int4":
        return (codes & 15).to(tl.float16) - 7.5
    bits = codes.to(tl.uint16)
    if kind == "fp8_e4m3":
        halved = ((bits & 0x80) << 8) | ((bits & 0x7F) << 7)
        return halved.to(tl.float16, bitcast=True) * 256.0
    return (bits << 8).to(tl.float16, bitcast=True)


@jit
def _run_ptx(codes: tl.tensor, ptx: tl.constexpr) -> tl.tensor:
    return tl.inline_asm_elementwise(ptx, "=r,=r,r", [codes], dtype=tl.float16, is_pure=True, pack=4)


@jit
def vector_scales(vectors: tl.tensor, largest: tl.constexpr) -> tl.tensor:
    """float32 (n,) scales of (n, channels) float32 vectors, rounded up to what bfloat16 holds."""
    scales = tl.maximum(tl.div_rn(tl.max(tl.abs(vectors), 1), largest), _MIN_SCALE)
    bits = (scales.to(tl.int32, bitcast=True) + 0xFFFF) & -65536
    return bits.to(tl.float32, bitcast=True)


@jit
def round_even(values: tl.tensor) -> tl.tensor:
    """Nearest integers of float32 below 2^22, ties to even: 1.5 * 2^23 leaves no room for a fraction."""
    return (values + 12582912.0) - 12582912.0


@jit
def encode_codes(scaled: tl.tensor, kind: tl.constexpr) -> tl.tensor:
    """uint8 codes of float32 numbers, divided by their scale; of `int4` levels 0 to 15."""
    if kind == "int8":
        return (round_even(scaled) + 128.0).to(tl.int32).to(tl.uint8)
    if kind == "int4":
        return tl.minimum(tl.maximum(round_even(scaled + 7.5), 0.0), 15.0).to(tl.int32).to(tl.uint8)
    if kind == "fp8_e4m3":
        return _encode_float8(scaled, 3, 7)
    return _encode_float8(scaled, 2, 15)


@jit
def _encode_float8(scaled: tl.tensor, digits: tl.constexpr, bias: tl.constexpr) -> tl.tensor:
    """Round to `digits` bits behind the point, ties to even; numbers below the smallest normal one are multiples."""
    dropped: tl.constexpr = 23 - digits
    bits = scaled.to(tl.int32, bitcast=True)
    sign = (bits >> 24) & 0x80
    magnitude = bits & 0x7FFFFFFF
    even = magnitude + ((1 << (dropped - 1)) - 1) + ((magnitude >> dropped) & 1)
    normal = (even >> dropped) - ((127 - bias) << digits)
    is_small = magnitude < ((128 - bias) << 23)
    steps = tl.where(is_small, tl.abs(scaled), 0.0) * (1 << (bias - 1 + digits))
    small = round_even(steps).to(tl.int32)
    return (sign | tl.where(is_small, small, normal)).to(tl.uint8)
