"""What a run may choose: KV types, chunks, seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktopapp.engine.backend import RunOptions, TokenAdded
from desktopapp.engine.backends.transformers.generation import generate
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.kv_format import KV_FORMATS
from desktopapp.engine.prompt_parts import ImagePart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
SAMPLED = SamplingParameters(temperature=1.0, top_p=0.95, top_k=20, presence_penalty=0.5, seed=3)
PROMPT = [
    TextPart("<|im_start|>user\n"),
    ImagePart(NoisePicture(300, 200, seed=1)),
    TextPart("Say what it is, " * 30),
    TextPart("<|im_end|>\n<|im_start|>assistant\n"),
]


def tokens(
    network: LoadedNetwork, options: RunOptions, sampling: SamplingParameters = GREEDY, *, anew: bool = True
) -> list[int]:
    if anew:
        network.conversations.clear()
    steps = generate(network, PROMPT, sampling, 24, CancelToken(), StepClock(), options)
    return [step.token_id for step in steps if isinstance(step, TokenAdded)]


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_every_type_answers_and_repeats_itself(network: LoadedNetwork, kv_type: str) -> None:
    first = tokens(network, RunOptions(kv_type), SAMPLED)
    assert len(first) > 5
    assert tokens(network, RunOptions(kv_type), SAMPLED) == first
    cache = network.conversations.live().cache
    assert cache.layout.kv_format.name == kv_type
    # What is in the cache gives the same as evaluating it again, in every type.
    assert tokens(network, RunOptions(kv_type), GREEDY) == tokens(
        network, RunOptions(kv_type), GREEDY, anew=False
    )


def test_auto_is_sixteen_bits(network: LoadedNetwork) -> None:
    tokens(network, RunOptions())
    assert network.conversations.live().cache.layout.kv_format.name == "16bit"


def test_an_unknown_type_is_refused(network: LoadedNetwork) -> None:
    with pytest.raises(BackendUnavailable, match="q8_0"):
        tokens(network, RunOptions("q8_0"))


def test_chunks_do_not_change_greedy_tokens(network: LoadedNetwork) -> None:
    expected = tokens(network, RunOptions("16bit"))
    for chunk in (1, 7, 64, 100, 4096):
        assert tokens(network, RunOptions("16bit", prefill_chunk_tokens=chunk)) == expected


def test_another_seed_gives_other_tokens(network: LoadedNetwork) -> None:
    drawn = {tuple(tokens(network, RunOptions(), replace(SAMPLED, seed=seed))) for seed in range(6)}
    assert len(drawn) > 3
