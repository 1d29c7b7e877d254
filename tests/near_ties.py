"""Where two tokens are all but equally likely, rounding chooses: greedy answers of two libraries are compared up to there.

Behind text the two backends' logits of the random model in 32 bits differ by 0.00002, behind pictures by up to 0.003,
for llama.cpp's vision tower reads GELU from a table of 16 bits; by 0.03 where pictures are read by experts, of which
rounding may choose others. On other processors llama.cpp's differ by another 0.0005.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from desktopapp.engine.backends.llama_cpp.library import llama
from desktopapp.engine.backends.llama_cpp.sampler import Sampler as LlamaSampler
from desktopapp.engine.backends.transformers.sampler import Sampler

NEAR_TIE = 0.02


@contextmanager
def lead_of_each_token() -> Iterator[list[float]]:
    """By how much the likeliest token's logit leads, at each one that a backend chooses in the body.

    With penalties where transformers' backend chooses, without them where llama.cpp's does.
    """
    leads: list[float] = []
    choose, sample = Sampler.choose, LlamaSampler.sample

    def measured_choose(self: Sampler, logits: torch.Tensor) -> torch.Tensor:
        leads.append(lead(self._penalise(logits.float())))
        return choose(self, logits)

    def measured_sample(self: LlamaSampler, context: Any) -> int:
        vocabulary = llama.llama_model_get_vocab(llama.llama_get_model(context))
        logits = llama.llama_get_logits_ith(context, -1)[: llama.llama_vocab_n_tokens(vocabulary)]
        leads.append(lead(torch.tensor(logits)))
        return sample(self, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sampler, "choose", measured_choose)
        patch.setattr(LlamaSampler, "sample", measured_sample)
        yield leads


def lead(logits: torch.Tensor) -> float:
    """Of the largest over the next.

    Args:
        logits: (vocabulary,).
    """
    first, second = logits.topk(2).values.tolist()
    return float(first - second)


def equal_tokens(
    found: Sequence[int], expected: Sequence[int], leads: Sequence[float], near_tie: float = NEAR_TIE
) -> int:
    """How many tokens two greedy answers share from their beginning.

    Args:
        found: one answer.
        expected: the other.
        leads: of the other's tokens, its end included.
        near_tie: the largest lead that rounding may turn over.

    Raises:
        AssertionError: they part where one token was clearly likelier.
    """
    count = 0
    while count < min(len(found), len(expected)) and found[count] == expected[count]:
        count += 1
    if count < max(len(found), len(expected)):
        assert leads[count] < near_tie, f"other tokens from {count} on, where the lead is {leads[count]:.4f}"
    return count
