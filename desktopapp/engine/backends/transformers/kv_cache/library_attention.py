"""PyTorch's own attention kernels, with the log-sum-exps by which results are merged."""

from __future__ import annotations

import torch

USES_CUDNN = False


def has_library_kernels(query: torch.Tensor) -> bool:
    """Whether flash attention runs on the query's card in its type: 16 bits, Ampere or later."""
    is_half = query.dtype in (torch.float16, torch.bfloat16)
    return is_half and query.is_cuda and torch.cuda.get_device_capability(query.device) >= (8, 0)


def attend_library(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, *, is_causal: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flash attention with its log-sum-exps.

    Args:
        query: (query_heads, n, head_dim).
        keys: (kv_heads, m, head_dim); m = n if causal.
        values: like keys.
        scale: of the scores.
        is_causal: row i sees keys up to i.

    Returns:
        (query_heads, n, head_dim) output and float32 (query_heads, n), contiguous, log-sum-exps.
    """
    batch = (query.unsqueeze(0), keys.unsqueeze(0), values.unsqueeze(0))
    if USES_CUDNN:
        output, sums = torch.ops.aten._scaled_dot_product_cudnn_attention(
            *batch, None, True, 0.0, is_causal, scale=scale
        )[:2]
    else:
        output, sums = torch.ops.aten._scaled_dot_product_flash_attention(
            *batch, 0.0, is_causal, scale=scale
        )[:2]
    return output[0], sums.reshape(query.shape[:2])
