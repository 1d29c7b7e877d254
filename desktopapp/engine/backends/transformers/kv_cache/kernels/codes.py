"""What `codec.py` does, inside kernels: the same codes and scales, bit for bit.

Codes become float16, in which every one is exact: 8-bit floats and integers have fewer digits, and scales are
applied elsewhere, in float32. Bits are rearranged by hand, so e4m3 works on cards whose compiler does not know it.

`is_packed` selects PTX for NVIDIA that handles two 16-bit units in one register; without it the same is written in
Triton, which its interpreter understands.
"""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.codec import MIN_SCALE
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit

_MIN_SCALE = tl.constexpr(MIN_SCALE)
# 0x64 above a byte is the float16 1024 + byte; 1152 = 0x6480 is taken off.
_INT8_LOW = tl.constexpr(
    """{
    .reg .b32 unit, offset;
    mov.b32 offset, 0x64806480;
    and.b32 unit, $1, 0x00FF00FF;
    or.b32 unit, unit, 0x64006400;
    sub.f16x2 $0, unit, offset;
    }"""
)
_INT8_HIGH = tl.constexpr(
    """{
    .reg .b32 unit, offset;
    mov.b32 offset, 0x64806480;
    prmt.b32 unit, $1, 0x64646464, 0x4341;
    sub.f16x2 $0, unit, offset;
    }"""
)
# Four bits at 16 times their worth under 0x6400 are 1024 + 16 level: times 1/16, less 71.5 is level - 7.5.
_INT4 = (
    """{
    .reg .b32 unit, factor, offset;
    mov.b32 factor, 0x2C002C00;
    mov.b32 offset, 0xD478D478;
    """,
    """
    and.b32 unit, unit, 0x00F000F0;
    or.b32 unit, unit, 0x64006400;
    fma.rn.f16x2 $0, unit, factor, offset;
    }""",
)
_INT4_FIRST = tl.constexpr("shl.b32 unit, $1, 4;".join(_INT4))
_INT4_SECOND = tl.constexpr("mov.b32 unit, $1;".join(_INT4))
_INT4_THIRD = tl.constexpr("shr.b32 unit, $1, 4;".join(_INT4))
_INT4_FOURTH = tl.constexpr("shr.b32 unit, $1, 8;".join(_INT4))
# A float16 has e5m2's exponent, and e4m3's with a bias of 15 in place of 7: `code_unit` makes up for it.
_E5M2_LOW = tl.constexpr("prmt.b32 $0, $1, 0, 0x2404;")
_E5M2_HIGH = tl.constexpr("and.b32 $0, $1, 0xFF00FF00;")
_E4M3 = (
    """{
    .reg .b32 byte, sign;
    """,
    """
    and.b32 sign, byte, 0x80008000;
    shr.b32 byte, byte, 1;
    and.b32 byte, byte, 0x3F803F80;
    or.b32 $0, byte, sign;
    }""",
)
_E4M3_LOW = tl.constexpr("prmt.b32 byte, $1, 0, 0x2404;".join(_E4M3))
_E4M3_HIGH = tl.constexpr("and.b32 byte, $1, 0xFF00FF00;".join(_E4M3))


@jit
def decode_units(
    units: tl.tensor, part: tl.constexpr, kind: tl.constexpr, is_packed: tl.constexpr
) -> tl.tensor:
    """Codes number `part` of 16-bit units of any shape, as float16 multiples of `code_unit`."""
    if is_packed:
        if kind == "int8":
            numbers = _run_ptx(units, _INT8_HIGH if part else _INT8_LOW)
        elif kind == "fp8_e5m2":
            numbers = _run_ptx(units, _E5M2_HIGH if part else _E5M2_LOW)
        elif kind == "fp8_e4m3":
            numbers = _run_ptx(units, _E4M3_HIGH if part else _E4M3_LOW)
        elif part < 2:
            numbers = _run_ptx(units, _INT4_SECOND if part else _INT4_FIRST)
        else:
            numbers = _run_ptx(units, _INT4_FOURTH if part == 3 else _INT4_THIRD)
    else:
        bits = units.to(tl.uint16, bitcast=True)
        if kind == "int4":
            numbers = ((bits >> (4 * part)) & 15).to(tl.float16) - 7.5
        else:
            byte = (bits >> (8 * part)) & 0xFF
            if kind == "int8":
                numbers = byte.to(tl.float16) - 128.0
            elif kind == "fp8_e4m3":
                numbers = (((byte & 0x80) << 8) | ((byte & 0x7F) << 7)).to(tl.float16, bitcast=True)
            else:
                numbers = (byte << 8).to(tl.float16, bitcast=True)
    return numbers


@jit
def _run_ptx(units: tl.tensor, ptx: tl.constexpr) -> tl.tensor:
    return tl.inline_asm_elementwise(ptx, "=r,r", [units], dtype=tl.float16, is_pure=True, pack=2)


@jit
def code_unit(kind: tl.constexpr) -> tl.constexpr:
    """What one of `decode_units` stands for, beside the scale."""
    return 256.0 if kind == "fp8_e4m3" else 1.0


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
    """int32 codes of float32 numbers, divided by their scale; of `int4` levels 0 to 15."""
    if kind == "int8":
        codes = (round_even(scaled) + 128.0).to(tl.int32)
    elif kind == "int4":
        codes = tl.minimum(tl.maximum(round_even(scaled + 7.5), 0.0), 15.0).to(tl.int32)
    elif kind == "fp8_e4m3":
        codes = _encode_float8(scaled, 3, 7)
    else:
        codes = _encode_float8(scaled, 2, 15)
    return codes


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
    return sign | tl.where(is_small, small, normal)


@jit
def halve(channels: tl.tensor) -> tl.tuple:
    """The first and the second half of the channels of (n, channels)."""
    rows: tl.constexpr = channels.shape[0]
    half: tl.constexpr = channels.shape[1] // 2
    return tl.split(tl.permute(tl.reshape(channels, (rows, 2, half)), (0, 2, 1)))


@jit
def pack_units(codes: tl.tensor, bits: tl.constexpr) -> tl.tensor:
    """int32 (n, channels / 2) of (n, channels) codes: the second half `bits` above the first."""
    first, second = halve(codes)
    return first | (second << bits)
