"""Attention in float64, and sequences to try the KV cache with."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache

# Relative error of an output, Frobenius norm, that each format allows on Gaussian numbers. 16 bit: rounding of
# bfloat16 (2^-9 each for the inputs' products, the probabilities and the output). 8 bits: int8's steps are 1/127 of
# a vector's largest number, about 3 deviations; e4m3 keeps 3 bits behind the point, e5m2 two. int4: steps of 1/8.
TOLERANCES = {"16bit": 8e-3, "int8": 1.5e-2, "fp8_e4m3": 4e-2, "fp8_e5m2": 8e-2, "int4": 0.16}


@dataclass(frozen=True)
class Sample:
    """One layer's inputs: query (1, hq, n, d), keys and values (1, hkv, m, d)."""

    query: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


def sample(
    tokens: int,
    chunk: int,
    *,
    kv_heads: int = 2,
    group: int = 4,
    head_dim: int = 128,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    seed: int = 0,
) -> Sample:
    """Gaussian numbers for a sequence of `tokens` whose last `chunk` ask."""
    generator = torch.Generator().manual_seed(seed)

    def draw(heads: int, count: int) -> torch.Tensor:
        numbers = torch.randn(1, heads, count, head_dim, generator=generator)
        return numbers.to(device=device, dtype=dtype)

    return Sample(draw(kv_heads * group, chunk), draw(kv_heads, tokens), draw(kv_heads, tokens))


def filled_cache(inputs: Sample, kv_type: str, *, block_tokens: int = 64, appends: int = 1) -> KvCache:
    """A cache of one layer that holds the sample's keys and values, written in `appends` pieces."""
    _, kv_heads, tokens, head_dim = inputs.keys.shape
    cache = KvCache(
        1,
        kv_heads,
        head_dim,
        kv_type,
        inputs.keys.device,
        inputs.keys.dtype,
        max_tokens=tokens,
        block_tokens=block_tokens,
    )
    for keys, values in zip(
        inputs.keys.tensor_split(appends, 2), inputs.values.tensor_split(appends, 2), strict=True
    ):
        cache.layers[0].append(keys, values)
    return cache


def expected_attention(inputs: Sample, scale: float) -> torch.Tensor:
    """Causal attention, float64 (1, n, hq, d) on the CPU, the chunk at the sequence's end."""
    query, keys, values = (tensor.double().cpu() for tensor in (inputs.query, inputs.keys, inputs.values))
    group, chunk, tokens = query.shape[1] // keys.shape[1], query.shape[2], keys.shape[2]
    keys, values = keys.repeat_interleave(group, 1), values.repeat_interleave(group, 1)
    visible = torch.ones(chunk, tokens, dtype=torch.bool).tril(tokens - chunk)
    scores = (query @ keys.mT * scale).masked_fill(~visible, -torch.inf)
    return (scores.softmax(-1) @ values).transpose(1, 2)


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Norm of the difference over the norm of what was expected; NaN if anything is not finite."""
    return float((found.double().cpu() - expected).norm() / expected.norm())
