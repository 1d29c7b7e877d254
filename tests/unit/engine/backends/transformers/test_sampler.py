from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from desktopapp.engine.backends.transformers.sampler import Sampler
from desktopapp.engine.sampling import SamplingParameters

PLAIN = SamplingParameters(temperature=1.0, top_p=1.0, top_k=0, presence_penalty=0.0, seed=1)
LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])
CPU = torch.device("cpu")


def draws(parameters: SamplingParameters, count: int, logits: torch.Tensor = LOGITS) -> list[int]:
    sampler = Sampler(parameters, [], logits.numel(), CPU, count)
    return [int(sampler.choose(logits)) for _ in range(count)]


def test_frequencies_follow_the_softmax() -> None:
    counts = torch.bincount(torch.tensor(draws(PLAIN, 4000)), minlength=4) / 4000
    torch.testing.assert_close(counts, torch.softmax(LOGITS, 0), atol=0.03, rtol=0)


def test_zero_temperature_is_greedy() -> None:
    assert set(draws(replace(PLAIN, temperature=0.0), 20)) == {0}


def test_low_temperature_sharpens() -> None:
    assert draws(replace(PLAIN, temperature=0.2), 300).count(0) > draws(PLAIN, 300).count(0) + 50


def test_a_tiny_temperature_is_greedy_without_overflow() -> None:
    assert set(draws(replace(PLAIN, temperature=1e-40), 20)) == {0}


def test_top_k_keeps_the_likeliest() -> None:
    assert set(draws(replace(PLAIN, top_k=2), 300)) == {0, 1}


@pytest.mark.parametrize(("top_p", "kept"), [(0.0, {0}), (0.6, {0}), (0.7, {0, 1}), (0.9, {0, 1, 2})])
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, kept: set[int]) -> None:
    # softmax of LOGITS: 0.644, 0.237, 0.087, 0.032
    assert set(draws(replace(PLAIN, top_p=top_p), 500)) == kept


def test_seed_repeats_and_none_differs() -> None:
    flat = torch.zeros(1000)
    assert draws(PLAIN, 20, flat) == draws(PLAIN, 20, flat)
    assert draws(PLAIN, 20, flat) != draws(replace(PLAIN, seed=2), 20, flat)
    fresh = replace(PLAIN, seed=None)
    assert draws(fresh, 20, flat) != draws(fresh, 20, flat)


def test_presence_penalty_counts_generated_tokens_once() -> None:
    sampler = Sampler(replace(PLAIN, temperature=0.0, presence_penalty=1.5), [0], 4, CPU, 4)
    # 2, 1, 0, -1 -> 0.5, 1, 0, -1 -> 0.5, -0.5, 0, -1: the prompt's 0 is not penalised before it is said.
    assert [int(sampler.choose(LOGITS)) for _ in range(4)] == [0, 1, 0, 0]


def test_repetition_penalty_counts_the_prompt_and_weakens_both_signs() -> None:
    greedy = replace(PLAIN, temperature=0.0, repetition_penalty=4.0)
    # 2 / 4 is below 1; then 1 / 4 is below 0.5.
    sampler = Sampler(greedy, [0], 4, CPU, 4)
    assert [int(sampler.choose(LOGITS)), int(sampler.choose(LOGITS))] == [1, 0]
    negative = torch.tensor([-1.0, -2.0])
    assert Sampler(greedy, [0], 2, CPU, 1).choose(negative).tolist() == [1]


def test_half_precision_logits_are_taken() -> None:
    assert draws(PLAIN, 3, LOGITS.bfloat16()) == draws(PLAIN, 3)


@pytest.mark.parametrize(
    ("min_p", "kept"), [(0.0, {0, 1, 2, 3}), (0.1, {0, 1, 2}), (0.2, {0, 1}), (1.0, {0})]
)
def test_min_p_drops_what_is_far_less_likely_than_the_likeliest(min_p: float, kept: set[int]) -> None:
    # Relative to the likeliest: 1, 0.368, 0.135, 0.0498
    assert set(draws(replace(PLAIN, min_p=min_p), 800)) == kept
