"""The Triton kernels: on the GPU where there is one, else in Triton's interpreter on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.backends.transformers.kv_cache.blockwise import attend_blockwise, attend_portably
from desktopapp.engine.backends.transformers.kv_cache.codec import rotate_query
from desktopapp.engine.memory.kv_format import KV_FORMATS
from tests.kv_reference import TOLERANCES, expected_attention, filled_cache, relative_error, sample

pytest.importorskip("triton")

import triton.language as tl

from desktopapp.engine.backends.transformers.kv_cache.kernels import chunk_attention, launch
from desktopapp.engine.backends.transformers.kv_cache.kernels.codes import code_unit, decode_units
from desktopapp.engine.backends.transformers.kv_cache.kernels.jit import jit, runs_on_card
from desktopapp.engine.backends.transformers.kv_cache.kernels.tiles import Tiles

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SCALE = 128**-0.5
# Kernels multiply codes in float16.
ROUNDING = 2e-3


def cache_of(kv_type: str, max_tokens: int) -> KvCache:
    return KvCache(1, 1, 128, kv_type, DEVICE, torch.float32, max_tokens, block_tokens=64)


def attend_at_end(query: torch.Tensor, cache: KvCache, scale: float, tiles: Tiles) -> torch.Tensor:
    """(1, n, heads, 128) attention of queries (1, heads, n, 128) by `attend_blocks`."""
    cache.past_on_device(cache.tokens - query.shape[2])
    output = launch.attend_blocks(turned_query(query[0], cache), cache.layers[0], scale, tiles)
    return turned_output(output, cache).transpose(0, 1).unsqueeze(0)


def turned_query(query: torch.Tensor, cache: KvCache) -> torch.Tensor:
    return rotate_query(query) if cache.layout.kv_format.rotates_keys else query


def turned_output(output: torch.Tensor, cache: KvCache) -> torch.Tensor:
    return rotate_query(output) if cache.layout.kv_format.rotates_values else output


@jit
def decode_pairs(units: tl.tensor, numbers: tl.tensor, kind: tl.constexpr, is_packed: tl.constexpr) -> None:
    """Write the floats of 128 pairs of bytes to (128, 2)."""
    places = tl.arange(0, 128)
    pairs = tl.load(units + places)
    unit: tl.constexpr = code_unit(kind)
    tl.store(numbers + 2 * places, decode_units(pairs, 0, kind, is_packed).to(tl.float32) * unit)
    tl.store(numbers + 2 * places + 1, decode_units(pairs, 1, kind, is_packed).to(tl.float32) * unit)


@pytest.mark.parametrize(
    ("kv_type", "dtype"), [("fp8_e4m3", torch.float8_e4m3fn), ("fp8_e5m2", torch.float8_e5m2)]
)
def test_every_8_bit_float_is_decoded_as_torch_reads_it(kv_type: str, dtype: torch.dtype) -> None:
    codes = torch.arange(256, dtype=torch.int32).to(torch.uint8).to(DEVICE)
    codes = codes.where(codes.view(dtype).float().isfinite(), 0)
    assert len(codes.unique()) > 240
    found = torch.full((256,), torch.nan, device=DEVICE)
    decode_pairs[(1,)](codes.view(torch.int16), found, kv_type, runs_on_card(DEVICE))
    assert torch.equal(found, codes.view(dtype).float())


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_append_writes_what_the_codec_writes(kv_type: str) -> None:
    inputs = sample(150, 1, kv_heads=1, device=str(DEVICE))
    inputs.keys[:, :, 20:40] *= 1e-3
    inputs.keys[:, :, 40:60, 5] *= 1e3
    inputs.values[:, :, 7] = 0
    expected, found = filled_cache(inputs, kv_type), cache_of(kv_type, 150)
    for part in (slice(0, 1), slice(1, 70), slice(70, 150)):
        launch.append(found.layers[0], inputs.keys[:, :, part], inputs.values[:, :, part])
    assert found.tokens == 150
    for block, used in enumerate((64, 64, 22)):
        ours, theirs = found.block_view(block, 0), expected.block_view(block, 0)
        assert torch.equal(ours.keys[:, :used], theirs.keys[:, :used])
        assert torch.equal(ours.values[:, :used], theirs.values[:, :used])
        assert torch.equal(ours.key_scales[..., :used], theirs.key_scales[..., :used])
        assert torch.equal(ours.value_scales[..., :used], theirs.value_scales[..., :used])


@pytest.mark.parametrize("kv_type", KV_FORMATS)
@pytest.mark.parametrize(
    ("tokens", "chunk", "group", "splits"), [(1, 1, 4, 1), (65, 1, 3, 4), (130, 3, 4, 4), (170, 40, 2, 1)]
)
def test_attention_equals_float64_to_the_formats_precision(
    kv_type: str, tokens: int, chunk: int, group: int, splits: int
) -> None:
    inputs = sample(tokens, chunk, kv_heads=1, group=group, seed=tokens, device=str(DEVICE))
    cache = filled_cache(inputs, kv_type)
    found = attend_at_end(inputs.query, cache, SCALE, Tiles(32, 64, 4, 2, splits))
    assert relative_error(found, expected_attention(inputs, SCALE)) < TOLERANCES[kv_type]
    assert (
        relative_error(found, attend_blockwise(inputs.query, cache.layers[0], SCALE).double().cpu())
        < ROUNDING
    )


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_outliers_leave_the_rest_readable(kv_type: str) -> None:
    inputs = sample(100, 2, kv_heads=1, device=str(DEVICE))
    inputs.keys[..., 17] *= 30
    inputs.query[..., 17] = 0
    inputs.values[:, :, 50] *= 1000
    cache = filled_cache(inputs, kv_type)
    found = attend_at_end(inputs.query, cache, SCALE / 4, Tiles(16, 64, 4, 2, 2))
    assert (
        relative_error(found, attend_blockwise(inputs.query, cache.layers[0], SCALE / 4).double().cpu())
        < ROUNDING
    )


def library_attention(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scale: float,
    *,
    is_causal: bool,
    uses_cudnn: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """What cuDNN and flash attention do on a GPU."""
    assert not uses_cudnn, "no plan for lengths that come once"
    group = query.shape[0] // keys.shape[0]
    repeated = (keys.repeat_interleave(group, 0), values.repeat_interleave(group, 0))
    output, sums = attend_portably(
        *(part.unsqueeze(0) for part in (query, *repeated)), scale, is_causal=is_causal
    )
    return output[0].transpose(0, 1).contiguous().transpose(0, 1), sums[0]


@pytest.mark.parametrize("past", [0, 1, 4096, 5000, 16384, 45000])
def test_runs_cover_the_past_once(past: int) -> None:
    end = 0
    for start, length in chunk_attention.divide_past(past):
        assert start == end
        end += length
    assert end == past


@pytest.mark.parametrize("kv_type", KV_FORMATS)
@pytest.mark.parametrize(("tokens", "chunk"), [(50, 50), (200, 33)])
def test_runs_of_decoded_tokens_are_merged(
    kv_type: str, tokens: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_attention, "attend_library", library_attention)
    inputs = sample(tokens, chunk, kv_heads=1, group=2, device=str(DEVICE))
    cache = filled_cache(inputs, kv_type)
    query = turned_query(inputs.query[0], cache)
    found = chunk_attention.attend_runs(query, cache.layers[0], SCALE, run_tokens=(100, 30))
    found = turned_output(found, cache).unsqueeze(0)
    assert relative_error(found, attend_blockwise(inputs.query, cache.layers[0], SCALE).double().cpu()) < 1e-5


def test_a_chunk_is_filled_up_where_little_is_missing() -> None:
    usual = chunk_attention.USUAL_TOKENS
    assert [chunk_attention.missing_tokens(count) for count in (usual, usual + 1, usual - 1)] == [0, 0, 1]
    assert chunk_attention.missing_tokens(usual // 2) == 0


@pytest.mark.parametrize("kv_type", ["16bit", "int8"])
def test_what_a_chunk_is_filled_up_with_changes_nothing(
    kv_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    def attend(query: torch.Tensor, *rest: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
        lengths.append(query.shape[1])
        return library_attention(query, *rest, **options)

    monkeypatch.setattr(chunk_attention, "attend_library", attend)
    monkeypatch.setattr(chunk_attention, "USUAL_TOKENS", 40)
    inputs = sample(200, 33, kv_heads=1, group=2, device=str(DEVICE))
    cache = filled_cache(inputs, kv_type)
    query = turned_query(inputs.query[0], cache)
    found = chunk_attention.attend_runs(query, cache.layers[0], SCALE, run_tokens=(100, 30))
    assert set(lengths) == {40}
    found = turned_output(found, cache).unsqueeze(0)
    assert relative_error(found, attend_blockwise(inputs.query, cache.layers[0], SCALE).double().cpu()) < 1e-5


@pytest.mark.parametrize("kv_type", KV_FORMATS)
def test_one_step_equals_norm_rotary_embedding_append_and_attention(kv_type: str) -> None:
    """What the library's layer does between its projections, from the same numbers."""
    past = sample(70, 1, kv_heads=1, device=str(DEVICE))
    caches = cache_of(kv_type, 71), cache_of(kv_type, 71)
    for cache in caches:
        cache.layers[0].append(past.keys, past.values)
        cache.reserve(71)
        cache.past_on_device(70)
    generator = torch.Generator().manual_seed(4)
    projected = torch.randn(6, 128, generator=generator).to(DEVICE)
    weights = (torch.rand(2, 128, generator=generator) + 0.5).to(DEVICE)
    angles = (torch.rand(64, generator=generator).repeat(2) * 6).to(DEVICE)
    ours, theirs = (cache.layers[0] for cache in caches)
    query = launch.norm_rotate_append_step(ours, projected, *weights, 1e-6, angles.cos(), angles.sin())
    found = launch.attend_step(query, ours, SCALE, is_rotated=True)

    def embed(heads: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        normed = torch.nn.functional.rms_norm(heads, (128,), weight, 1e-6)
        swapped = torch.cat((-normed[:, 64:], normed[:, :64]), 1)
        return normed * angles.cos() + swapped * angles.sin()

    query, keys = embed(projected[:4], weights[0]), embed(projected[4:5], weights[1])
    launch.append_step(theirs, keys, projected[5:])
    torch.testing.assert_close(launch.attend_step(query, theirs, SCALE), found, atol=1e-3, rtol=1e-3)
    for cache in caches:
        cache.advance()
        assert cache.tokens == 71
    expected = attend_blockwise(query.view(1, 4, 1, 128), theirs, SCALE)[0, 0]
    assert relative_error(found, expected.double().cpu()) < ROUNDING


def test_getting_chunks_ready_leaves_the_cache_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_attention, "RUN_TOKENS", (60, 20))
    inputs = sample(10, 1, kv_heads=1, device=str(DEVICE))
    cache = filled_cache(inputs, "int8")
    before = attend_blockwise(inputs.query, cache.layers[0], SCALE)
    chunk_attention.prepare_chunks(cache, 2, 32)
    assert cache.tokens == 10
    assert torch.equal(attend_blockwise(inputs.query, cache.layers[0], SCALE), before)
