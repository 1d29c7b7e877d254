"""Products with 16- and 8-bit weights at the shapes of Qwen3-VL-4B, on one NVIDIA GPU.

    PYTHONPATH=. python tests/gpu/bench_weight_types.py

Decoding: microseconds of one vector's product, by ways to divide the matrix. Reading a prompt: milliseconds of 2,048
tokens' products. The median of some rounds, after a warm-up.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial

import torch

from desktopapp.engine.backends.transformers.kernels.gemv import Tile, gemv
from desktopapp.engine.backends.transformers.quantised_matrix import (
    Matrix,
    QuantisedMatrix,
    product,
    quantise_into,
)

# (outputs, inputs) of queries, keys and values; what mixes the heads; gate and up; down.
SHAPES = {"qkv": (6144, 2560), "out": (2560, 4096), "gate_up": (19456, 2560), "down": (2560, 9728)}
TILES = [
    Tile(rows, columns, warps) for rows in (4, 8, 16) for columns in (512, 1024, 2048) for warps in (4, 8)
]
CHUNK = 2048
ROUNDS = 7
# Different matrices one after another, so that no cache holds the next one.
COPIES = 12


def main() -> None:
    """Print both tables."""
    print("decode, us | 16 bit | 8 bit, fitting tile | 8 bit, best tile")
    total = {"16": 0.0, "8": 0.0, "best": 0.0}
    for name, shape in SHAPES.items():
        wide = [_random(shape) for _ in range(COPIES)]
        codes = [_quantised(one) for one in wide]
        plain = _gemv_us(wide, None)
        same = _gemv_us(codes, None)
        timed = {str(tile): _gemv_us(codes, tile) for tile in TILES if tile.columns <= shape[1]}
        best = min(timed, key=lambda tile: timed[tile])
        total["16"] += plain
        total["8"] += same
        total["best"] += timed[best]
        print(f"{name} | {plain:.1f} | {same:.1f} | {timed[best]:.1f} {best}", flush=True)
        print("   ", sorted((round(value, 1), tile) for tile, value in timed.items())[:4])
    print("a layer | " + " | ".join(f"{value:.1f}" for value in total.values()))
    print(f"prompt, ms of {CHUNK} tokens | 16 bit | 8 bit")
    for name, shape in SHAPES.items():
        matrix = _random(shape)
        inputs = _random((CHUNK, shape[1]))
        figures = [_ms(partial(product, inputs, one)) for one in (matrix, _quantised(matrix))]
        print(f"{name} | " + " | ".join(f"{figure:.3f}" for figure in figures), flush=True)


def _random(shape: tuple[int, int]) -> torch.Tensor:
    return torch.randn(shape, device="cuda", dtype=torch.bfloat16) * 0.02


def _quantised(weights: torch.Tensor) -> QuantisedMatrix:
    codes = torch.empty(weights.shape, dtype=torch.int8, device="cuda")
    scales = torch.empty(len(weights), device="cuda")
    quantise_into(weights, codes, scales)
    return QuantisedMatrix(codes, scales)


def _gemv_us(matrices: Sequence[Matrix], tile: Tile | None) -> float:
    outputs, inputs = matrices[0].shape
    vector = torch.randn(inputs, device="cuda", dtype=torch.bfloat16)
    result = torch.empty(outputs, device="cuda", dtype=torch.bfloat16)

    def run() -> None:
        for matrix in matrices:
            gemv(matrix, vector, result, tile=tile)

    run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return 1000 * _ms(graph.replay) / len(matrices)


def _ms(run: Callable[[], object]) -> float:
    for _ in range(2):
        run()
    times = []
    for _ in range(ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


if __name__ == "__main__":
    main()
