from __future__ import annotations

import pytest
import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache, attend
from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_portably
from desktopapp.engine.backends.transformers.kv_cache.codec import decode, encode, rotate_query, rotate_stored
from desktopapp.engine.memory.kv_format import KV_FORMATS
from tests.kv_reference import TOLERANCES, Sample, expected_attention, filled_cache, relative_error, sample

SCALE = 128**-0.5
QUANTISED = [name for name, kv_format in KV_FORMATS.items() if kv_format.is_quantised]


def cache_of(kv_type: str, *, layers: int = 2, max_tokens: int = 1000, block_tokens: int = 64) -> KvCache:
    return KvCache(
        layers, 2, 128, kv_type, torch.device("cpu"), torch.float32, max_tokens, block_tokens=block_tokens
    )


def append(cache: KvCache, inputs: Sample) -> None:
    for layer in cache.layers:
        layer.append(inputs.keys, inputs.values)


def contents(cache: KvCache) -> torch.Tensor:
    parts = []
    for layer in cache.layers:
        for start, end in layer.ranges(0, layer.tokens):
            parts.append(torch.stack(layer.read(start, end)))
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("kv_type", KV_FORMATS)
@pytest.mark.parametrize(
    ("tokens", "chunk"), [(1, 1), (64, 64), (65, 1), (130, 3), (200, 200), (333, 150), (5001, 7)]
)
def test_attention_equals_float64_to_the_formats_precision(kv_type: str, tokens: int, chunk: int) -> None:
    inputs = sample(tokens, chunk, seed=tokens + chunk)
    cache = filled_cache(inputs, kv_type, appends=min(tokens, 3))
    found = attend(inputs.query, cache.layers[0], SCALE)
    assert relative_error(found, expected_attention(inputs, SCALE)) < TOLERANCES[kv_type]


@pytest.mark.parametrize(("tokens", "chunk"), [(1, 1), (65, 1), (333, 150)])
def test_attention_over_unquantised_numbers_is_exact(tokens: int, chunk: int) -> None:
    inputs = sample(tokens, chunk, group=3)
    found = attend(inputs.query, filled_cache(inputs, "16bit").layers[0], SCALE)
    assert relative_error(found, expected_attention(inputs, SCALE)) < 1e-6


@pytest.mark.parametrize("kv_type", QUANTISED)
def test_attention_over_codes_is_exact(kv_type: str) -> None:
    """What is left after quantisation is computed in full precision."""
    inputs = sample(150, 40)
    cache = filled_cache(inputs, kv_type)
    layer = cache.layers[0]
    pieces = [layer.read(start, end) for start, end in layer.ranges(0, 150)]
    keys, values = (torch.cat(parts, 1).unsqueeze(0) for parts in zip(*pieces, strict=True))
    if cache.layout.kv_format.rotates_keys:
        keys = rotate_query(keys)
    if cache.layout.kv_format.rotates_values:
        values = rotate_query(values)
    expected = expected_attention(Sample(inputs.query, keys, values), SCALE)
    assert relative_error(attend(inputs.query, layer, SCALE), expected) < 1e-5


@pytest.mark.parametrize("kv_type", QUANTISED)
def test_an_outlying_channel_or_token_leaves_the_others_readable(kv_type: str) -> None:
    inputs = sample(200, 5)
    inputs.keys[..., 17] *= 30
    inputs.values[:, :, 100] *= 1000
    inputs.query[..., 17] = 0
    scale = SCALE / 4
    cache = filled_cache(inputs, kv_type, appends=4)
    found = attend(inputs.query, cache.layers[0], scale)
    expected = expected_attention(inputs, scale)
    assert relative_error(found, expected) < 3 * TOLERANCES[kv_type]


@pytest.mark.parametrize("kv_type", QUANTISED)
@pytest.mark.parametrize("magnitude", [1e-30, 1e-6, 1.0, 3e4])
def test_codes_reach_every_magnitude_and_never_clip(kv_type: str, magnitude: float) -> None:
    kv_format = KV_FORMATS[kv_type]
    vectors = torch.randn(50, 128, generator=torch.Generator().manual_seed(3)) * magnitude
    found = decode(*encode(vectors, kv_format), kv_format, torch.float32)
    largest = vectors.abs().amax()
    step = {"int8": 1 / 127, "fp8_e4m3": 1 / 14, "fp8_e5m2": 1 / 7, "int4": 1 / 8}[kv_type]
    assert (found - vectors).abs().amax() <= max(0.51 * step * largest, 2.0**-60)


@pytest.mark.parametrize("kv_type", QUANTISED)
def test_zeros_stay_zeros(kv_type: str) -> None:
    kv_format = KV_FORMATS[kv_type]
    found = decode(*encode(torch.zeros(3, 128), kv_format), kv_format, torch.float32)
    assert found.abs().amax() < 1e-18


@pytest.mark.parametrize("head_dim", [64, 128])
def test_rotations_undo_each_other_and_keep_products(head_dim: int) -> None:
    vectors = torch.randn(7, head_dim, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(rotate_query(rotate_stored(vectors)), vectors)
    products = rotate_query(vectors) @ rotate_stored(vectors).T
    torch.testing.assert_close(products, vectors @ vectors.T, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("is_causal", [True, False])
def test_portable_attention_equals_the_processors(is_causal: bool) -> None:
    inputs = sample(70, 70, kv_heads=3, group=1)
    shape = (inputs.query, inputs.keys, inputs.values)
    output, logsumexp = attend_portably(*shape, SCALE, is_causal=is_causal)
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    expected, expected_logsumexp = flash(*shape, 0.0, is_causal, scale=SCALE)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(logsumexp, expected_logsumexp, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_growth_moves_nothing_and_memory_is_what_the_formula_says(kv_type: str) -> None:
    cache = cache_of(kv_type)
    append(cache, sample(64, 1))
    before, address = contents(cache).clone(), int(cache.block_table[0])
    assert cache.allocated_bytes == 64 * cache.bytes_per_token
    append(cache, sample(70, 1, seed=9))
    assert cache.tokens == 134
    assert cache.capacity == 192
    assert cache.allocated_bytes == 192 * cache.bytes_per_token
    assert int(cache.block_table[0]) == address
    cache.crop(64)
    assert torch.equal(contents(cache), before)


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_a_cropped_sequence_goes_on_as_one_that_never_was_longer(kv_type: str) -> None:
    inputs = sample(150, 1)
    cropped = cache_of(kv_type)
    append(cropped, inputs)
    cropped.crop(70)
    assert cropped.capacity == 128
    short = cache_of(kv_type)
    append(short, Sample(inputs.query, inputs.keys[:, :, :70], inputs.values[:, :, :70]))
    more = sample(30, 1, seed=5)
    append(cropped, more)
    append(short, more)
    assert torch.equal(contents(cropped), contents(short))


def test_a_chunk_that_some_layers_have_not_seen_is_undone() -> None:
    cache = cache_of("int8")
    inputs = sample(30, 1)
    append(cache, inputs)
    cache.layers[0].append(inputs.keys, inputs.values)
    cache.crop(cache.tokens)
    assert [layer.tokens for layer in cache.layers] == [30, 30]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_states_are_exchanged_without_copies(device: str) -> None:
    cache = cache_of("int4")
    append(cache, sample(100, 1, seed=1))
    first = contents(cache).clone()
    addresses = cache.block_table.clone()
    state = cache.detach()
    assert cache.tokens == cache.allocated_bytes == int(cache.device_tokens) == 0
    assert state.size_bytes == 128 * cache.bytes_per_token
    assert state.to(torch.device(device)).size_bytes == state.size_bytes
    append(cache, sample(20, 1, seed=2))
    cache.detach()
    cache.attach(state)
    assert torch.equal(contents(cache), first)
    assert torch.equal(cache.block_table[:2], addresses[:2])
    assert int(cache.device_tokens) == cache.tokens == 100


def test_a_state_of_another_layout_is_refused() -> None:
    cache = cache_of("int8")
    append(cache, sample(10, 1))
    with pytest.raises(ValueError, match="another layout"):
        cache_of("int4").attach(cache.detach())


def test_more_than_the_longest_sequence_is_refused() -> None:
    cache = cache_of("int8", max_tokens=100)
    with pytest.raises(ValueError, match="101 tokens"):
        append(cache, sample(101, 1))
    assert cache.tokens == 0
