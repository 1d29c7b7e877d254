"""The GPU bench's check of greedy tokens, in bfloat16 on the CPU: a right path passes it, a damaged one does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from transformers import Qwen3VLConfig

from desktopapp.engine.backend import RunOptions, TokenAdded
from desktopapp.engine.backends.transformers.decoding import Decoding
from desktopapp.engine.backends.transformers.generation import generate
from desktopapp.engine.backends.transformers.kv_cache import cache as cache_module
from desktopapp.engine.backends.transformers.kv_cache.cache import KvLayer
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prompt import encode_prompt
from desktopapp.engine.backends.transformers.text_sequence import _Attention
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TokensPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from tests.gpu.large_model import load, make_network
from tests.gpu.reference_tokens import compare_with_reference
from tests.gpu.token_agreement import Agreement, judge
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
VOCABULARY = 2000
NEW_TOKENS = 256
BLOCK_TOKENS = 64
PARTS: list[PromptPart] = [ImagePart(NoisePicture(320, 256, seed=1)), TokensPart(tuple(range(100, 400)))]
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "max_position_embeddings": 2048,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5_000_000,
        "mrope_section": [12, 10, 10],
        "mrope_interleaved": True,
    },
    "tie_word_embeddings": True,
    "initializer_range": 0.06,
}
VISION = {
    "depth": 3,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 2,
    "out_hidden_size": 256,
    "num_position_embeddings": 256,
    "deepstack_visual_indexes": [0, 1, 2],
}
IDS = {"image_token_id": 1, "video_token_id": 2, "vision_start_token_id": 3, "vision_end_token_id": 4}


@pytest.fixture(scope="module")
def model() -> Iterator[LoadedNetwork]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_module, "CPU_BLOCK_TOKENS", BLOCK_TOKENS)
        config = Qwen3VLConfig(text_config=TEXT, vision_config=VISION, tie_word_embeddings=True, **IDS)
        config._attn_implementation = "sdpa"
        network = make_network(0, "cpu", config)
        for layer in network.model.language_model.layers:
            layer.self_attn.q_norm.weight.mul_(3)  # so that attention chooses, as a trained network's does
        yield load(network, 2048)


def answer(model: LoadedNetwork, kv_type: str) -> list[int]:
    model.conversations.clear()
    options = RunOptions(kv_type, prefill_chunk_tokens=128)
    steps = generate(model, PARTS, GREEDY, NEW_TOKENS, CancelToken(), StepClock(), options)
    return [step.token_id for step in steps if isinstance(step, TokenAdded)]


def check(model: LoadedNetwork, tokens: list[int]) -> Agreement:
    prompt = encode_prompt(PARTS, model.network.config, None, model.facts)
    return compare_with_reference(model, prompt, model.conversations.live(), tokens, control_chunk_tokens=100)


@pytest.mark.parametrize("kv_type", ["16bit", "int8"])
def test_the_engine_agrees_up_to_rounding(model: LoadedNetwork, kv_type: str) -> None:
    agreement = check(model, answer(model, kv_type))
    assert agreement.tokens == NEW_TOKENS
    assert agreement.expected_ties > 1, "the control shows no rounding, so nothing was tried"
    assert agreement.agrees, agreement


def scale_a_head(patch: pytest.MonkeyPatch) -> None:
    attend = _Attention.attend

    def attend_wrongly(attention: Any, layer: int, queries: torch.Tensor) -> torch.Tensor:
        queries = queries.clone()
        queries[:, 3] *= 1.25
        return attend(attention, layer, queries)

    patch.setattr(_Attention, "attend", attend_wrongly)


def shift_positions(patch: pytest.MonkeyPatch) -> None:
    begin = Decoding.__init__

    def begin_wrongly(
        decoding: Any, model: Any, sequence: Any, sampler: Any, position: int, *rest: Any
    ) -> None:
        begin(decoding, model, sequence, sampler, position + 1, *rest)

    patch.setattr(Decoding, "__init__", begin_wrongly)


def drop_a_block(patch: pytest.MonkeyPatch) -> None:
    divide = KvLayer.ranges

    def divide_wrongly(layer: KvLayer, start: int, end: int) -> Iterator[tuple[int, int]]:
        return (part for part in divide(layer, start, end) if start or part[0] != 2 * BLOCK_TOKENS)

    patch.setattr(KvLayer, "ranges", divide_wrongly)


@pytest.mark.parametrize("damage", [scale_a_head, shift_positions, drop_a_block])
def test_a_damaged_path_does_not(model: LoadedNetwork, damage: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        damage(patch)
        tokens = answer(model, "16bit")
    agreement = check(model, tokens)
    assert agreement.ties > 2 * agreement.most_ties, agreement
    assert not agreement.agrees


def logits_of(*noises: float) -> list[torch.Tensor]:
    """The same random logits (256, vocabulary) under noise of their own, of standard deviations beside their own of 1."""
    generator = torch.Generator().manual_seed(3)
    true = torch.randn(256, VOCABULARY, generator=generator)
    return [true + noise * torch.randn(true.shape, generator=generator) for noise in noises]


@pytest.mark.parametrize(("noise", "agrees"), [(0.0, True), (0.02, True), (0.2, False)])
def test_noise_may_be_as_large_as_the_controls(noise: float, agrees: bool) -> None:
    reference, control, run = logits_of(0.02, 0.02, noise)
    agreement = judge(reference, control, run.argmax(-1))
    assert agreement.agrees is agrees, agreement
    assert 0.5 < agreement.control_ties / agreement.expected_ties < 2


def test_one_token_that_lies_deep_is_enough() -> None:
    reference, control = logits_of(0.02, 0.02)
    tokens = reference.argmax(-1)
    assert judge(reference, control, tokens).ties == 0
    tokens[100] = reference[100].argsort()[-20]
    agreement = judge(reference, control, tokens)
    assert agreement.ties == 1
    assert not agreement.agrees


def test_without_noise_tokens_must_be_equal() -> None:
    (reference,) = logits_of(0.0)
    tokens = reference.argmax(-1)
    assert judge(reference, reference, tokens).agrees
    tokens[7] = reference[7].argsort()[-2]
    assert not judge(reference, reference, tokens).agrees


def test_a_tie_that_repeats_itself_counts_once() -> None:
    reference, control = (logits[:8].repeat(32, 1) for logits in logits_of(0.02, 0.02))
    tokens = reference.argmax(-1)
    tokens[3::8] = reference[3].argsort()[-2]
    agreement = judge(reference, control, tokens)
    assert (agreement.places, agreement.ties) == (32, 1)
