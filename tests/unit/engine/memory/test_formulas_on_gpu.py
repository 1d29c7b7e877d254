"""The formulas against what was measured on an NVIDIA H200; docs/memory.md has the same figures."""

from __future__ import annotations

import pytest

from desktopapp.engine.memory.costs import RunShape, estimate
from desktopapp.engine.memory.formulas_llama_cpp import LlamaCosts
from desktopapp.engine.memory.formulas_transformers import TransformersCosts
from desktopapp.engine.memory.model_spec import read_folder_spec
from desktopapp.engine.memory.spec import ModelSpec
from desktopapp.engine.memory.workload import Picture, Workload
from tests.published_configs import write_published_config

GIB, MIB = 2**30, 2**20
SCREEN, PAGE = Picture(2040, 8160), Picture(2145, 8580)
# cuBLAS keeps work space of its own, 32 MiB for each of two streams.
LIBRARY_BYTES = 66 * MIB


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelSpec]:
    found = {}
    for size in ("2B", "4B"):
        folder = tmp_path_factory.mktemp(size)
        write_published_config(folder, size)
        found[size] = read_folder_spec(folder)
    return found


# Pictures, text tokens, KV type, chunk; GiB that torch's allocator counted in each phase (0: there was none).
MEASURED = [
    ("4B", 0, SCREEN, 2_048, "16bit", 2048, (0.000, 8.712, 8.723)),
    ("4B", 0, SCREEN, 2_048, "16bit", 256, (0.000, 8.601, 8.723)),
    ("4B", 1, SCREEN, 32, "16bit", 2048, (8.868, 8.891, 8.723)),
    ("4B", 1, SCREEN, 8_192, "16bit", 1024, (9.853, 9.810, 9.847)),
    ("4B", 1, SCREEN, 8_192, "int8", 2048, (9.161, 9.184, 9.086)),
    ("4B", 4, PAGE, 512, "fp8_e4m3", 512, (9.138, 9.042, 8.944)),
    ("4B", 10, SCREEN, 12_000, "16bit", 2048, (12.986, 13.029, 12.801)),
    ("4B", 10, SCREEN, 12_000, "int4", 1024, (9.681, 9.661, 9.528)),
    ("4B", 0, SCREEN, 32_768, "fp8_e5m2", 1024, (0.000, 10.700, 10.690)),
    ("4B", 10, SCREEN, 32_768, "16bit", 2048, (15.829, 15.873, 15.644)),
    ("4B", 10, SCREEN, 32_768, "int8", 2048, (12.230, 12.289, 12.046)),
    ("4B", 0, SCREEN, 65_536, "int4", 2048, (0.000, 10.889, 10.761)),
    ("4B", 0, SCREEN, 131_072, "int8", 2048, (0.000, 17.607, 17.514)),
    ("4B", 100, PAGE, 64, "int8", 2048, (23.492, 23.545, 23.298)),
    ("2B", 0, SCREEN, 2_048, "16bit", 2048, (0.000, 4.301, 4.325)),
    ("2B", 0, SCREEN, 2_048, "16bit", 256, (0.000, 4.233, 4.325)),
    ("2B", 1, SCREEN, 32, "16bit", 2048, (4.466, 4.442, 4.325)),
    ("2B", 1, SCREEN, 8_192, "16bit", 1024, (5.231, 5.164, 5.200)),
    ("2B", 1, SCREEN, 8_192, "int8", 2048, (4.693, 4.669, 4.608)),
    ("2B", 4, PAGE, 512, "fp8_e4m3", 512, (4.678, 4.578, 4.497)),
    ("2B", 10, SCREEN, 12_000, "16bit", 2048, (7.669, 7.669, 7.497)),
    ("2B", 10, SCREEN, 12_000, "int4", 1024, (5.099, 5.072, 4.958)),
    ("2B", 0, SCREEN, 32_768, "fp8_e5m2", 1024, (0.000, 5.887, 5.862)),
    ("2B", 10, SCREEN, 32_768, "16bit", 2048, (9.888, 9.888, 9.716)),
    ("2B", 10, SCREEN, 32_768, "int8", 2048, (7.088, 7.096, 6.917)),
    ("2B", 0, SCREEN, 65_536, "int4", 2048, (0.000, 6.005, 5.917)),
    ("2B", 0, SCREEN, 131_072, "int8", 2048, (0.000, 11.255, 11.194)),
    ("2B", 100, PAGE, 64, "int8", 2048, (15.873, 15.875, 15.693)),
    ("2B", 100, PAGE, 64, "int4", 2048, (10.310, 10.312, 10.130)),
]


@pytest.mark.parametrize(("size", "images", "picture", "text", "kv_type", "chunk", "measured"), MEASURED)
def test_transformers(
    specs: dict[str, ModelSpec],
    size: str,
    images: int,
    picture: Picture,
    text: int,
    kv_type: str,
    chunk: int,
    measured: tuple[float, float, float],
) -> None:
    workload = Workload((*[2, picture] * images, text), 8)
    costs = TransformersCosts(specs[size], "BF16", 0, on_gpu=True)
    phases = estimate(costs, workload, RunShape(kv_type, chunk)).phases
    for counted, seen_gib in zip((phases.vision, phases.prefill, phases.decode), measured, strict=True):
        if seen_gib:
            assert 0 <= seen_gib * GIB - counted <= LIBRARY_BYTES + MIB


@pytest.mark.parametrize(
    ("tokens", "kv_type", "kv_gib", "compute_gib"),
    [
        (53_249, "16bit", 7.45, 0.55),
        (53_249, "q8_0", 3.96, 0.59),
        (53_249, "q4_0", 2.10, 0.59),
    ],
)
def test_llama_cpp(
    specs: dict[str, ModelSpec], tokens: int, kv_type: str, kv_gib: float, compute_gib: float
) -> None:
    # The cache of that run was for 54,272.
    costs, run = LlamaCosts(specs["4B"], 0, on_gpu=True, most_cells=54_272), RunShape(kv_type, 2048)
    assert costs.kv_bytes(tokens, tokens, run) / GIB == pytest.approx(kv_gib, rel=0.01)
    assert costs.prefill_bytes(2048, 0, tokens, run) / GIB == pytest.approx(compute_gib, rel=0.02)
