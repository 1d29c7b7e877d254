"""The small operations between matrix products, each in one kernel: see `text_ops.TextOps`."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit

_HEADS_A_PROGRAM = 4
_CHANNELS_A_PROGRAM = 1024


@jit
def _rms_norm_kernel(
    hidden: tl.tensor,
    delta: tl.tensor,
    weight: tl.tensor,
    outputs: tl.tensor,
    epsilon: tl.float32,
    width: tl.constexpr,
    adds_up: tl.constexpr,
    block: tl.constexpr,
) -> None:
    dtype = outputs.dtype.element_ty
    columns = tl.arange(0, block)
    mask = columns < width
    places = tl.program_id(0).to(tl.int64) * width + columns
    values = tl.load(hidden + places, mask=mask, other=0.0).to(tl.float32)
    if adds_up:
        values = (values + tl.load(delta + places, mask=mask, other=0.0).to(tl.float32)).to(dtype)
        tl.store(hidden + places, values, mask=mask)
        values = values.to(tl.float32)
    normed = (values * tl.rsqrt(tl.sum(values * values) / width + epsilon)).to(dtype).to(tl.float32)
    factors = tl.load(weight + columns, mask=mask, other=0.0).to(tl.float32)
    tl.store(outputs + places, (normed * factors).to(dtype), mask=mask)


@jit
def _norm_rope_kernel(
    inputs: tl.tensor,
    weight: tl.tensor,
    cosines: tl.tensor,
    sines: tl.tensor,
    outputs: tl.tensor,
    total_rows: tl.int32,
    heads: tl.int32,
    token_stride: tl.int32,
    output_stride: tl.int32,
    epsilon: tl.float32,
    half: tl.constexpr,
    is_normed: tl.constexpr,
    block: tl.constexpr,
    row_count: tl.constexpr,
) -> None:
    dtype = outputs.dtype.element_ty
    rows = tl.program_id(0) * row_count + tl.arange(0, row_count)
    tokens = (rows // heads).to(tl.int64)[:, None]
    channels = tl.arange(0, block)[None, :]
    is_channel = channels < half
    mask = (rows < total_rows)[:, None] & is_channel
    source = inputs + tokens * token_stride + (rows % heads)[:, None] * (2 * half) + channels
    first = tl.load(source, mask=mask, other=0.0).to(tl.float32)
    second = tl.load(source + half, mask=mask, other=0.0).to(tl.float32)
    turn = tokens * half + channels
    cosine = tl.load(cosines + turn, mask=mask, other=0.0)
    sine = tl.load(sines + turn, mask=mask, other=0.0)
    if is_normed:
        squares = tl.sum(first * first, 1) + tl.sum(second * second, 1)
        scale = tl.rsqrt(squares / (2 * half) + epsilon)[:, None]
        low = tl.load(weight + channels, mask=is_channel, other=0.0).to(tl.float32)
        high = tl.load(weight + half + channels, mask=is_channel, other=0.0).to(tl.float32)
        first = ((first * scale).to(dtype).to(tl.float32) * low).to(dtype).to(tl.float32)
        second = ((second * scale).to(dtype).to(tl.float32) * high).to(dtype).to(tl.float32)
        # The language model's turns are rounded to its own type, the vision tower's are not.
        cosine = cosine.to(dtype).to(tl.float32)
        sine = sine.to(dtype).to(tl.float32)
    target = outputs + tokens * output_stride + (rows % heads)[:, None] * (2 * half) + channels
    tl.store(target, (first * cosine - second * sine).to(dtype), mask=mask)
    tl.store(target + half, (second * cosine + first * sine).to(dtype), mask=mask)


@jit
def _swiglu_kernel(
    gates: tl.tensor,
    ups: tl.tensor,
    outputs: tl.tensor,
    width: tl.int32,
    gate_stride: tl.int32,
    up_stride: tl.int32,
    block: tl.constexpr,
) -> None:
    dtype = outputs.dtype.element_ty
    token = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * block + tl.arange(0, block)
    mask = columns < width
    gate = tl.load(gates + token * gate_stride + columns, mask=mask, other=0.0).to(tl.float32)
    up = tl.load(ups + token * up_stride + columns, mask=mask, other=0.0).to(tl.float32)
    silu = (gate * tl.sigmoid(gate)).to(dtype).to(tl.float32)
    tl.store(outputs + token * width + columns, (silu * up).to(dtype), mask=mask)


class TritonOps:
    """See `TextOps`; tensors are on the GPU, and the last dimension of each is contiguous."""

    def rms_norm(self, hidden: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        """See `TextOps.rms_norm`."""
        return _rms_norm(hidden.contiguous(), None, weight, epsilon)

    def add_rms_norm(
        self, hidden: torch.Tensor, delta: torch.Tensor, weight: torch.Tensor, epsilon: float
    ) -> torch.Tensor:
        """See `TextOps.add_rms_norm`; both (tokens, channels) contiguous."""
        return _rms_norm(hidden, delta, weight, epsilon)

    def norm_rope(
        self,
        heads: torch.Tensor,
        weight: torch.Tensor,
        epsilon: float,
        rope: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """See `TextOps.norm_rope`."""
        tokens, count, head_dim = heads.shape
        outputs = torch.empty((tokens, count, head_dim), dtype=heads.dtype, device=heads.device)
        _norm_rope(heads, weight, epsilon, rope, outputs)
        return outputs

    def rope_in_place(self, heads: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]) -> None:
        """See `TextOps.rope_in_place`."""
        _norm_rope(heads, None, 0.0, rope, heads)

    def swiglu(self, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        """See `TextOps.swiglu`."""
        tokens, width = gate.shape
        outputs = torch.empty((tokens, width), dtype=gate.dtype, device=gate.device)
        launch = _swiglu_kernel[(tokens, triton.cdiv(width, _CHANNELS_A_PROGRAM))]
        launch(gate, up, outputs, width, gate.stride(0), up.stride(0), block=_CHANNELS_A_PROGRAM)
        return outputs


def _norm_rope(
    heads: torch.Tensor,
    weight: torch.Tensor | None,
    epsilon: float,
    rope: tuple[torch.Tensor, torch.Tensor],
    outputs: torch.Tensor,
) -> None:
    tokens, count, head_dim = heads.shape
    rows = tokens * count
    launch = _norm_rope_kernel[(triton.cdiv(rows, _HEADS_A_PROGRAM),)]
    launch(
        heads,
        heads if weight is None else weight,
        rope[0],
        rope[1],
        outputs,
        rows,
        count,
        heads.stride(0),
        outputs.stride(0),
        epsilon,
        half=head_dim // 2,
        is_normed=weight is not None,
        block=triton.next_power_of_2(head_dim // 2),
        row_count=_HEADS_A_PROGRAM,
    )


def _rms_norm(
    hidden: torch.Tensor, delta: torch.Tensor | None, weight: torch.Tensor, epsilon: float
) -> torch.Tensor:
    outputs = torch.empty_like(hidden)
    launch = _rms_norm_kernel[(hidden.shape[0],)]
    launch(
        hidden,
        hidden if delta is None else delta,
        weight,
        outputs,
        epsilon,
        width=hidden.shape[1],
        adds_up=delta is not None,
        block=triton.next_power_of_2(hidden.shape[1]),
        num_warps=8,
    )
    return outputs
