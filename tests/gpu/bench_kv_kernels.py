"""How fast attention over the KV cache is on a card, at the 4B model's shape (8 key heads, 32 query heads of 128).

Run: `PYTHONPATH=. python tests/gpu/bench_kv_kernels.py`, about a minute. Decoding is timed by replays of a captured
graph over as many layers as do not fit the card's cache; prefill by one layer that reads a whole prompt in chunks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch

from desktopapp.engine.backends.transformers.kv_cache import KvCache, append, attend
from desktopapp.engine.backends.transformers.kv_cache.kernels import chunk_attention, launch
from desktopapp.engine.memory.kv_format import KV_FORMATS

DEVICE = torch.device("cuda")
KV_HEADS, HEADS, HEAD_DIM, LAYERS = 8, 32, 128, 36
SCALE = HEAD_DIM**-0.5
CHUNK_TOKENS = 2048
# More than the 60 MB of an H200's cache.
SPREAD_BYTES = 400_000_000


def draw(*shape: int) -> torch.Tensor:
    """Gaussian bfloat16 numbers."""
    return torch.randn(*shape, dtype=torch.bfloat16, device=DEVICE)


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Mean time of one run, the median of five series."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    times = []
    for _ in range(5):
        begin.record()
        for _ in range(repeats):
            run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / repeats)
    return sorted(times)[2]


def filled(kv_type: str, tokens: int, layers: int) -> KvCache:
    """A cache that holds `tokens` tokens and has room for one more."""
    cache = KvCache(layers, KV_HEADS, HEAD_DIM, kv_type, DEVICE, torch.bfloat16, tokens + 1)
    for layer in cache.layers:
        for start in range(0, tokens, 16384):
            count = min(16384, tokens - start)
            append(layer, draw(1, KV_HEADS, count, HEAD_DIM), draw(1, KV_HEADS, count, HEAD_DIM))
    cache.reserve(tokens + 1)
    cache.past_on_device(tokens)
    return cache


def captured(run: Callable[[], object]) -> torch.cuda.CUDAGraph:
    """A graph of what `run` launches."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph


def decode_row(kv_type: str, tokens: int) -> tuple[float, float]:
    """Microseconds a layer of norm, rotary embedding, append and attention of one token; GB/s of keys and values."""
    one_layer = tokens * KV_FORMATS[kv_type].bytes_per_token(1, KV_HEADS, HEAD_DIM, 2)
    cache = filled(kv_type, tokens, min(max(SPREAD_BYTES // one_layer, 2), LAYERS))
    projected, weight = draw(HEADS + 2 * KV_HEADS, HEAD_DIM), draw(HEAD_DIM)

    def run() -> None:
        for layer in cache.layers:
            query = launch.norm_rotate_append_step(layer, projected, weight, weight, 1e-6, weight, weight)
            launch.attend_step(query, layer, SCALE, is_rotated=True)

    graph = captured(run)
    time = milliseconds(graph.replay, 20) / len(cache.layers)
    return time * 1e3, one_layer / time / 1e6


def prefill_row(kv_type: str, tokens: int) -> tuple[float, float]:
    """Seconds that all layers' attention takes to read a prompt of `tokens`; TFLOP/s."""
    cache = KvCache(1, KV_HEADS, HEAD_DIM, kv_type, DEVICE, torch.bfloat16, tokens)
    layer = cache.layers[0]
    chunk_attention.prepare_chunks(cache, HEADS, CHUNK_TOKENS)
    keys, query = draw(1, KV_HEADS, CHUNK_TOKENS, HEAD_DIM), draw(1, HEADS, CHUNK_TOKENS, HEAD_DIM)

    def run() -> None:
        cache.reset()
        for _ in range(tokens // CHUNK_TOKENS):
            append(layer, keys, keys)
            attend(query, layer, SCALE)

    run()
    time = milliseconds(run, 1)
    operations = 4 * HEADS * HEAD_DIM * tokens**2 / 2
    return time * LAYERS / 1e3, operations / time / 1e9


def main() -> int:
    """Print both tables."""
    if not torch.cuda.is_available():
        print("left out: PyTorch finds no CUDA card")
        return 0
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    print("\n| KV type | tokens | one token, us a layer | GB/s |\n|---|---|---|---|")
    for tokens in (2048, 16384, 53248, 131072, 214956):
        for kv_type in KV_FORMATS:
            print(
                f"| {kv_type} | {tokens:,} | {{:.1f}} | {{:.0f}} |".format(*decode_row(kv_type, tokens)),
                flush=True,
            )
    print(f"\n| KV type | prompt | attention of {LAYERS} layers, s | TFLOP/s |\n|---|---|---|---|")
    for tokens in (26 * CHUNK_TOKENS, 105 * CHUNK_TOKENS):
        for kv_type in ("16bit", "int8", "int4"):
            print(
                f"| {kv_type} | {tokens:,} | {{:.2f}} | {{:.0f}} |".format(*prefill_row(kv_type, tokens)),
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
