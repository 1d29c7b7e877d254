"""Attention over the cache in plain torch: block after block, with the running softmax of flash attention.

No more than one block of one layer exists dequantised. Partial results are merged by their log-sum-exps
(Dao et al., "FlashAttention", 2022, section 3.1). Keys are divided so that every product is either wholly
visible or a causal square: no mask is ever built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch

from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.backends.transformers.kv_cache.codec import rotate_query
from desktopapp.engine.backends.transformers.kv_cache.library_attention import (
    attend_library,
    has_library_kernels,
)

# Scores that the portable attention holds at once.
_SCORES = 1 << 22


class Partial(NamedTuple):
    """Attention of some rows to some keys.

    Args:
        first: row of the chunk at which `output` begins; it goes on to some later row.
        output: (kv_heads, group, rows, head_dim), normalised over these keys.
        logsumexp: float32 (kv_heads, group, rows) of their scores.
    """

    first: int
    output: torch.Tensor
    logsumexp: torch.Tensor


def attend_blockwise(query: torch.Tensor, layer: KvLayer, scale: float) -> torch.Tensor:
    """Causal attention of the newest tokens to everything in the layer.

    Args:
        query: (1, query_heads, n, head_dim) of the last n tokens that were appended.
        layer: holds their keys and values already.
        scale: of the scores.

    Returns:
        (1, n, query_heads, head_dim), in the query's type.
    """
    kv_format, kv_heads = layer.cache.layout.kv_format, layer.cache.layout.kv_heads
    rows = (rotate_query(query) if kv_format.rotates_keys else query)[0].reshape(
        kv_heads, -1, *query.shape[2:]
    )
    merged = _merge_all(_partials(rows, layer, scale), rows.shape[2])
    output = merged.flatten(0, 1).to(query.dtype)
    return (rotate_query(output) if kv_format.rotates_values else output).transpose(0, 1).unsqueeze(0)


def _partials(rows: torch.Tensor, layer: KvLayer, scale: float) -> Iterator[Partial]:
    """Attention of (kv_heads, group, n, head_dim) rows to each block, the past first."""
    count = rows.shape[2]
    past = layer.tokens - count
    for start, end in layer.ranges(0, past):
        yield Partial(0, *_attend_all(rows, *layer.read(start, end), scale))
    for start, end in layer.ranges(past, layer.tokens):
        keys, values = layer.read(start, end)
        first, behind = start - past, end - past
        yield Partial(first, *_attend_square(rows[:, :, first:behind], keys, values, scale))
        if behind < count:
            yield Partial(behind, *_attend_all(rows[:, :, behind:], keys, values, scale))


def _merge_all(partials: Iterator[Partial], count: int) -> torch.Tensor:
    first, output, logsumexp = next(partials)
    if output.shape[2] < count:
        missing = count - output.shape[2]
        output = torch.nn.functional.pad(output, (0, 0, 0, missing))
        logsumexp = torch.nn.functional.pad(logsumexp, (0, missing), value=-torch.inf)
    for first, new_output, new_logsumexp in partials:
        output = output.float()
        part = slice(first, first + new_output.shape[2])
        total = torch.logaddexp(logsumexp[:, :, part], new_logsumexp)
        old_weight = (logsumexp[:, :, part] - total).exp_().unsqueeze(-1)
        new_weight = (new_logsumexp - total).exp_().unsqueeze(-1)
        output[:, :, part] = output[:, :, part] * old_weight + new_output * new_weight
        logsumexp[:, :, part] = total
    return output


def _attend_all(
    rows: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every row sees every key; the rows of a group go as one matrix, so its keys are read once."""
    flat = rows.flatten(1, 2).unsqueeze(0)
    output, logsumexp = _attend(flat, keys.unsqueeze(0), values.unsqueeze(0), scale, is_causal=False)
    return output.reshape(rows.shape), logsumexp.reshape(rows.shape[:3])


def _attend_square(
    rows: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Row i sees keys up to i."""
    if rows.shape[2] == 1:
        return _attend_all(rows, keys, values, scale)
    shape = rows.shape
    return _attend(
        rows, keys.unsqueeze(1).expand(shape), values.unsqueeze(1).expand(shape), scale, is_causal=True
    )


def _attend(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, *, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, heads, n, head_dim) attention with its log-sum-exps, float32 (batch, heads, n)."""
    if query.device.type == "cpu":
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        output, logsumexp = flash(query, keys, values, 0.0, is_causal, scale=scale)
        return output, logsumexp
    if has_library_kernels(query):
        heads = (query.flatten(0, 1), keys.flatten(0, 1), values.flatten(0, 1))
        output, logsumexp = attend_library(*heads, scale, is_causal=is_causal)
        return output.view(query.shape), logsumexp.view(query.shape[:3])
    return attend_portably(query, keys, values, scale, is_causal=is_causal)


def attend_portably(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, *, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention from matrix products alone, in float32, for any device.

    Args:
        query: (batch, heads, n, head_dim).
        keys: (batch, heads, m, head_dim); m = n if causal.
        values: like keys.
        scale: of the scores.
        is_causal: row i sees keys up to i.

    Returns:
        The output in the query's type and float32 (batch, heads, n) log-sum-exps.
    """
    keys, values = keys.float(), values.float()
    step = max(_SCORES // (query.shape[0] * query.shape[1] * keys.shape[2]), 1)
    outputs, sums = [], []
    for start in range(0, query.shape[2], step):
        part = query[:, :, start : start + step].float()
        scores = part @ keys.mT * scale
        if is_causal:
            visible = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril(start)
            scores = scores.masked_fill(~visible, -torch.inf)
        logsumexp = scores.logsumexp(-1)
        outputs.append(((scores - logsumexp.unsqueeze(-1)).exp() @ values).to(query.dtype))
        sums.append(logsumexp)
    return torch.cat(outputs, 2), torch.cat(sums, 2)
