"""PyTorch's own attention kernels, with the log-sum-exps by which results are merged."""

from __future__ import annotations

import logging
from functools import cache

import torch

logger = logging.getLogger(__name__)


def has_library_kernels(query: torch.Tensor) -> bool:
    """Whether flash attention runs on the query's card in its type: 16 bits, Ampere or later."""
    is_half = query.dtype in (torch.float16, torch.bfloat16)
    return is_half and query.is_cuda and torch.cuda.get_device_capability(query.device) >= (8, 0)


def attend_library(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scale: float,
    *,
    is_causal: bool,
    uses_cudnn: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention by flash attention, or by cuDNN where it is faster.

    Args:
        query: (query_heads, n, head_dim).
        keys: (kv_heads, m, head_dim); m = n if causal.
        values: like keys.
        scale: of the scores.
        is_causal: row i sees keys up to i.
        uses_cudnn: lengths are those of many calls, so that a plan pays.

    Returns:
        (query_heads, n, head_dim) output and float32 (query_heads, n), contiguous, log-sum-exps.
    """
    attend = _attend_cudnn if uses_cudnn and has_fast_cudnn(query.device, query.dtype) else _attend_flash
    output, sums = attend(query.unsqueeze(0), keys.unsqueeze(0), values.unsqueeze(0), scale, is_causal)
    return output[0], sums.reshape(query.shape[:2])


@cache
def has_fast_cudnn(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether cuDNN's attention runs and is the faster one: from Hopper on. Tried once."""
    if torch.cuda.get_device_capability(device) < (9, 0):
        return False
    probe = torch.zeros(1, 1, 128, 128, dtype=dtype, device=device)
    try:
        _attend_cudnn(probe, probe, probe, 1.0, True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        logger.warning("cuDNN's attention is not used: %s", error)
        return False
    return True


def _attend_cudnn(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    run = torch.ops.aten._scaled_dot_product_cudnn_attention
    output, sums, *_ = run(query, keys, values, None, True, 0.0, is_causal, scale=scale)
    return output, sums


def _attend_flash(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    run = torch.ops.aten._scaled_dot_product_flash_attention
    output, sums, *_ = run(query, keys, values, 0.0, is_causal, scale=scale)
    return output, sums
