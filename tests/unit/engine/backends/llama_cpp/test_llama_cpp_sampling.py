"""How tokens are chosen."""

from __future__ import annotations

import dataclasses

import pytest

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.errors import UsageError
from tests.llama_cpp_runs import GREEDY, ask, inside, run


def test_min_p_leaves_the_likeliest(backend: LlamaCppBackend) -> None:
    prompt = ask("Tell me")
    greedy = run(backend, prompt).tokens
    hot = SamplingParameters(temperature=2.0, top_p=1.0, top_k=0, presence_penalty=0.0, seed=1)
    assert run(backend, prompt, sampling=hot).tokens != greedy
    assert run(backend, prompt, sampling=dataclasses.replace(hot, min_p=1.0)).tokens == greedy


def test_an_answer_follows_a_grammar(backend: LlamaCppBackend) -> None:
    recipe = dataclasses.replace(GREEDY, grammar='root ::= "[" ("1" | "2") "]"')
    result = run(backend, ask("Tell me"), 20, recipe)
    assert result.text in ("[1]", "[2]")
    assert result.end.reason is FinishReason.STOP
    with pytest.raises(UsageError, match="grammar"):
        run(backend, ask("Tell me"), 20, dataclasses.replace(GREEDY, grammar="root ::= ("))


def test_seed_repeats_and_matters(backend: LlamaCppBackend) -> None:
    def sample(seed: int | None) -> list[int]:
        sampling = SamplingParameters(1.0, 0.95, 20, 0.0, seed=seed)
        return run(backend, ask("Tell me"), 16, sampling).tokens

    assert sample(5) == sample(5)
    assert len({tuple(sample(seed)) for seed in range(4)}) > 1
    assert len({tuple(sample(None)) for _ in range(4)}) > 1


def test_presence_penalty_forbids_repeats(backend: LlamaCppBackend) -> None:
    greedy = run(backend, ask("Tell me")).tokens
    penalised = dataclasses.replace(GREEDY, presence_penalty=1000.0)
    without_repeats = run(backend, ask("Tell me"), sampling=penalised).tokens
    assert len(set(greedy)) < len(greedy)
    assert len(set(without_repeats)) == len(without_repeats)
    assert without_repeats[0] == greedy[0]


def test_repetition_penalty_counts_the_prompt(backend: LlamaCppBackend) -> None:
    weights = inside(backend).weights
    (likeliest,) = run(backend, ask("Tell me"), 1).tokens
    said = ask("Tell me")
    said.insert(0, TextPart(weights.piece(likeliest).decode()))
    spoken = {
        token
        for part in said
        if isinstance(part, TextPart)
        for token in weights.tokenize(part.text, parse_special=part.parse_special)
    }
    penalised = dataclasses.replace(GREEDY, repetition_penalty=1000.0)
    (other,) = run(backend, said, 1, penalised).tokens
    assert likeliest in spoken
    assert other not in spoken


def test_length_limit(backend: LlamaCppBackend) -> None:
    result = run(backend, ask("Tell me"), most=3)
    assert len(result.tokens) == 3
    assert result.end.reason is FinishReason.LENGTH
    assert result.end.peak_bytes > 1_000_000


def test_stop_token_ends_and_is_not_given_out(backend: LlamaCppBackend) -> None:
    weights = inside(backend).weights
    for seed in range(40):
        sampling = SamplingParameters(1.0, 1.0, 0, 0.0, seed=seed)
        result = run(backend, ask("Tell me"), sampling=sampling, most=60)
        assert not any(weights.ends_answer(token) for token in result.tokens)
        if result.end.reason is FinishReason.STOP:
            return
    pytest.fail("no seed ever stopped")
