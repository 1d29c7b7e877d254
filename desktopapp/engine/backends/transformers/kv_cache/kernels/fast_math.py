"""Single instructions for what Triton otherwise guards against numbers below 2^-126, which mean zero here.

`is_packed` says that this is compiled for NVIDIA; Triton's interpreter takes the plain functions.
"""

from __future__ import annotations

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit

_EXP2_PTX = tl.constexpr("ex2.approx.ftz.f32 $0, $1;")
_LOG2_PTX = tl.constexpr("lg2.approx.ftz.f32 $0, $1;")
_RECIPROCAL_PTX = tl.constexpr("rcp.approx.ftz.f32 $0, $1;")


@jit
def exp2(numbers: tl.tensor, is_packed: tl.constexpr) -> tl.tensor:
    """2^x of float32, to 2^-22 relative."""
    return _run_ptx(numbers, _EXP2_PTX) if is_packed else tl.exp2(numbers)


@jit
def log2(numbers: tl.tensor, is_packed: tl.constexpr) -> tl.tensor:
    """The binary logarithm of float32, to 2^-22 absolute."""
    return _run_ptx(numbers, _LOG2_PTX) if is_packed else tl.log2(numbers)


@jit
def reciprocal(numbers: tl.tensor, is_packed: tl.constexpr) -> tl.tensor:
    """1 / x of float32, to one unit in the last place."""
    return _run_ptx(numbers, _RECIPROCAL_PTX) if is_packed else 1.0 / numbers


@jit
def _run_ptx(numbers: tl.tensor, ptx: tl.constexpr) -> tl.tensor:
    return tl.inline_asm_elementwise(ptx, "=f,f", [numbers], dtype=tl.float32, is_pure=True, pack=1)
