"""The KV cache's kernels on a card: in 16 bits, at lengths and shapes of real models, and under a captured graph."""

from __future__ import annotations

import pytest
import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache, append, attend
from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_blockwise
from desktopapp.engine.memory.kv_format import KV_FORMATS
from tests.kv_reference import TOLERANCES, Sample, expected_attention, relative_error, sample

pytest.importorskip("triton")

from desktopapp.engine.backends.transformers.kv_cache.kernels import chunk_attention, launch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA card"),
]

SCALE = 128**-0.5
# bfloat16 rounds inputs, weights and outputs; half of that in float16.
ROUNDING = 8e-3
HALF_TYPES = [torch.float16] + [torch.bfloat16] * (
    torch.cuda.is_available() and torch.cuda.is_bf16_supported()
)


def cache_with(inputs: Sample, kv_type: str, max_tokens: int | None = None) -> KvCache:
    _, kv_heads, tokens, head_dim = inputs.keys.shape
    shape = (1, kv_heads, head_dim, kv_type, inputs.keys.device, inputs.keys.dtype)
    cache = KvCache(*shape, max_tokens=max_tokens or tokens)
    append(cache.layers[0], inputs.keys, inputs.values)
    return cache


@pytest.mark.parametrize("kv_type", KV_FORMATS)
@pytest.mark.parametrize("dtype", HALF_TYPES)
@pytest.mark.parametrize(("tokens", "chunk"), [(1, 1), (5000, 1), (5000, 37), (3001, 500), (2048, 1024)])
def test_attention_is_right_to_the_formats_precision(
    kv_type: str, dtype: torch.dtype, tokens: int, chunk: int
) -> None:
    inputs = sample(tokens, chunk, dtype=dtype, device="cuda", seed=tokens + chunk)
    cache = cache_with(inputs, kv_type)
    found = attend(inputs.query, cache.layers[0], SCALE)
    assert relative_error(found, expected_attention(inputs, SCALE)) < TOLERANCES[kv_type] + ROUNDING
    reference = attend_blockwise(inputs.query, cache.layers[0], SCALE)
    assert relative_error(found, reference.double().cpu()) < ROUNDING


@pytest.mark.parametrize("chunk", [2048, 2000])
@pytest.mark.parametrize("kv_type", ["16bit", "int8", "int4"])
def test_long_sequences_go_through_merged_runs(kv_type: str, chunk: int) -> None:
    inputs = sample(40_000, chunk, dtype=HALF_TYPES[-1], device="cuda")
    cache = cache_with(inputs, kv_type)
    chunk_attention.prepare_chunks(cache, 8, 2048)
    found = attend(inputs.query, cache.layers[0], SCALE)
    reference = attend_blockwise(inputs.query, cache.layers[0], SCALE)
    assert relative_error(found, reference.double().cpu()) < ROUNDING


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_a_captured_graph_follows_the_cache_over_blocks_crops_and_other_contents(kv_type: str) -> None:
    dtype = HALF_TYPES[-1]
    cache = cache_with(sample(1020, 1, dtype=dtype, device="cuda"), kv_type, max_tokens=3000)
    layer = cache.layers[0]
    keys, values = (torch.empty(2, 128, dtype=dtype, device="cuda") for _ in range(2))
    query = torch.empty(8, 128, dtype=dtype, device="cuda")

    def step() -> torch.Tensor:
        launch.append_step(layer, keys, values)
        output = launch.attend_step(query, layer, SCALE)
        cache.device_tokens.add_(1)
        return output

    cache.reserve(1021)
    cache.past_on_device(1020)
    step()
    cache.device_tokens.sub_(1)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = step()
    generator = torch.Generator(device="cuda").manual_seed(2)

    def replay_and_check() -> None:
        for tensor in (keys, values, query):
            tensor.normal_(generator=generator)
        cache.reserve(cache.tokens + 1)
        cache.past_on_device(cache.tokens)
        graph.replay()
        cache.advance()
        expected = attend_blockwise(query.view(1, 8, 1, 128), layer, SCALE)[0, 0]
        assert relative_error(output, expected.double().cpu()) < ROUNDING

    for _ in range(8):
        replay_and_check()
    assert cache.tokens == 1028
    cache.crop(1000)
    replay_and_check()
    state = cache.detach()
    append(layer, *(tensor.view(1, 2, 1, 128) for tensor in (keys, values)))
    replay_and_check()
    assert cache.tokens == 2
    cache.attach(state.to(torch.device("cpu")))
    replay_and_check()
    assert cache.tokens == 1002
