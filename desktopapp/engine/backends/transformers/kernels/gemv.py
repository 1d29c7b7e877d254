"""Products of a weight matrix with one token's vector, with what stands before and behind them fused in.

Decoding reads every weight once for each token, so these kernels are bound by memory: each program reads some rows of
the matrix from end to end, all of them together once. Sums are float32; results are rounded where the plain
operations round.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit
from desktopapp.engine.backends.transformers.quantised_matrix import Matrix, QuantisedMatrix


@dataclass(frozen=True, slots=True)
class Tile:
    """How a matrix is divided.

    Args:
        rows: outputs of one program.
        columns: inputs at once, a power of two.
        warps: of one program.
    """

    rows: int
    columns: int
    warps: int


_WIDEST = 1024
# Inputs from which on 8-bit codes are read in wider pieces, or by more warps.
_WIDE, _WIDER = 4096, 8192


def fitting_tile(width: int, *, is_quantised: bool = False) -> Tile:
    """The fastest division on an H200 for the shapes of Qwen3-VL-4B, see docs/performance.md.

    Args:
        width: inputs of the matrix.
        is_quantised: it holds 8-bit codes.
    """
    if not is_quantised:
        return Tile(rows=4, columns=_WIDEST if width % _WIDEST == 0 else _WIDEST // 2, warps=8)
    if width >= _WIDER:
        return Tile(rows=4, columns=_WIDEST, warps=4)
    return Tile(rows=4, columns=_WIDEST // 2, warps=8 if width >= _WIDE else 4)


@jit
def _gemv_kernel(
    inputs: tl.tensor,
    norm: tl.tensor,
    matrix: tl.tensor,
    scales: tl.tensor,
    outputs: tl.tensor,
    count: tl.int32,
    epsilon: tl.float32,
    width: tl.constexpr,
    is_normed: tl.constexpr,
    adds_up: tl.constexpr,
    is_gated: tl.constexpr,
    is_quantised: tl.constexpr,
    row_count: tl.constexpr,
    lane_count: tl.constexpr,
    overlaps: tl.constexpr,
) -> None:
    dtype = outputs.dtype.element_ty
    rows = tl.program_id(0) * row_count + tl.arange(0, row_count)
    is_row = rows < count
    lanes = tl.arange(0, lane_count)
    places = matrix + rows[:, None].to(tl.int64) * width + lanes[None, :]
    mask = is_row[:, None] & (lanes < width)[None, :]
    up_offset = count.to(tl.int64) * width
    # Weights do not depend on the kernel before this one: they are on their way while that one ends.
    tile = tl.load(places, mask=mask, other=0.0, eviction_policy="evict_first")
    if is_gated:
        up_tile = tl.load(places + up_offset, mask=mask, other=0.0, eviction_policy="evict_first")
    if overlaps:
        tl.extra.cuda.gdc_wait()
        tl.extra.cuda.gdc_launch_dependents()
    scale = 1.0
    if is_normed:
        squares = tl.zeros([lane_count], tl.float32)
        for start in range(0, width, lane_count):
            part = tl.load(inputs + start + lanes, mask=start + lanes < width, other=0.0).to(tl.float32)
            squares += part * part
        scale = tl.rsqrt(tl.sum(squares) / width + epsilon)
    vector = _load_vector(inputs, norm, lanes, scale, width, is_normed, dtype)
    sums = tile.to(tl.float32) * vector[None, :]
    if is_gated:
        up_sums = up_tile.to(tl.float32) * vector[None, :]
    for start in range(lane_count, width, lane_count):
        mask = is_row[:, None] & (start + lanes < width)[None, :]
        tile = tl.load(places + start, mask=mask, other=0.0, eviction_policy="evict_first")
        vector = _load_vector(inputs, norm, start + lanes, scale, width, is_normed, dtype)
        sums += tile.to(tl.float32) * vector[None, :]
        if is_gated:
            up_tile = tl.load(places + up_offset + start, mask=mask, other=0.0, eviction_policy="evict_first")
            up_sums += up_tile.to(tl.float32) * vector[None, :]
    totals = tl.sum(sums, 1)
    if is_quantised:
        totals *= tl.load(scales + rows, mask=is_row, other=0.0)
    result = totals.to(dtype)
    if is_gated:
        gate = result.to(tl.float32)
        up_totals = tl.sum(up_sums, 1)
        if is_quantised:
            up_totals *= tl.load(scales + count + rows, mask=is_row, other=0.0)
        up = up_totals.to(dtype).to(tl.float32)
        result = ((gate * tl.sigmoid(gate)).to(dtype).to(tl.float32) * up).to(dtype)
    if adds_up:
        before = tl.load(outputs + rows, mask=is_row, other=0.0).to(tl.float32)
        result = (before + result.to(tl.float32)).to(dtype)
    tl.store(outputs + rows, result, mask=is_row)


@jit
def _load_vector(
    inputs: tl.tensor,
    norm: tl.tensor,
    columns: tl.tensor,
    scale: tl.tensor,
    width: tl.constexpr,
    is_normed: tl.constexpr,
    dtype: tl.constexpr,
) -> tl.tensor:
    """Some of the inputs in float32, normalised where they are to be."""
    mask = columns < width
    vector = tl.load(inputs + columns, mask=mask, other=0.0).to(tl.float32)
    if is_normed:
        weight = tl.load(norm + columns, mask=mask, other=0.0).to(tl.float32)
        vector = ((vector * scale).to(dtype).to(tl.float32) * weight).to(dtype).to(tl.float32)
    return vector


def gemv(
    matrix: Matrix,
    inputs: torch.Tensor,
    outputs: torch.Tensor,
    *,
    norm: torch.Tensor | None = None,
    epsilon: float = 0.0,
    adds: bool = False,
    gated: bool = False,
    overlaps: bool = False,
    tile: Tile | None = None,
) -> None:
    """Multiply a matrix with one vector.

    Args:
        matrix: (outputs, inputs), contiguous, 8-bit codes or not; with `gated` (2 x outputs, inputs), gates before
            values.
        inputs: (inputs,), contiguous.
        outputs: (outputs,), contiguous; overwritten, or added to.
        norm: (inputs,), weights of an RMS norm that the input goes through first.
        epsilon: of that norm.
        adds: add the product to `outputs`.
        gated: outputs are SiLU of the gates times the values.
        overlaps: begin before the kernel in front has ended, as cards since Hopper can (programmatic dependent
            launch).
        tile: how to divide the matrix; None takes the fitting one.
    """
    quantised = matrix if isinstance(matrix, QuantisedMatrix) else None
    tile = tile or fitting_tile(matrix.shape[1], is_quantised=quantised is not None)
    numbers = matrix.codes if isinstance(matrix, QuantisedMatrix) else matrix
    count = matrix.shape[0] // 2 if gated else matrix.shape[0]
    launch = _gemv_kernel[(triton.cdiv(count, tile.rows),)]
    launch(
        inputs,
        inputs if norm is None else norm,
        numbers,
        numbers if quantised is None else quantised.scales,
        outputs,
        count,
        epsilon,
        width=matrix.shape[1],
        is_normed=norm is not None,
        adds_up=adds,
        is_gated=gated,
        is_quantised=quantised is not None,
        row_count=tile.rows,
        lane_count=min(tile.columns, triton.next_power_of_2(matrix.shape[1])),
        overlaps=overlaps,
        num_warps=tile.warps,
        launch_pdl=overlaps,
    )
