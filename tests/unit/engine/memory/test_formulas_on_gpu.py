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
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    folder = tmp_path_factory.mktemp("4B")
    write_published_config(folder, "4B")
    return read_folder_spec(folder)


# Pictures, text tokens, KV type, chunk; GiB that torch's allocator counted in each phase (0: there was none).
MEASURED = [
    (0, SCREEN, 2_048, "16bit", 2048, (0, 8.712, 8.723)),
    (0, SCREEN, 2_048, "16bit", 256, (0, 8.606, 8.723)),
    (1, SCREEN, 32, "16bit", 2048, (8.868, 8.891, 8.723)),
    (1, SCREEN, 8_192, "16bit", 1024, (9.853, 9.810, 9.847)),
    (1, SCREEN, 8_192, "int8", 2048, (9.161, 9.184, 9.086)),
    (4, PAGE, 512, "fp8_e4m3", 512, (9.138, 9.069, 8.943)),
    (10, SCREEN, 12_000, "16bit", 2048, (12.986, 13.009, 12.801)),
    (10, SCREEN, 12_000, "int4", 1024, (9.681, 9.656, 9.527)),
    (0, SCREEN, 32_768, "fp8_e5m2", 1024, (0, 10.691, 10.689)),
    (10, SCREEN, 32_768, "16bit", 2048, (15.829, 15.852, 15.644)),
    (10, SCREEN, 32_768, "int8", 2048, (12.230, 12.258, 12.045)),
    (0, SCREEN, 65_536, "int4", 2048, (0, 10.857, 10.760)),
    (0, SCREEN, 131_072, "int8", 2048, (0, 17.607, 0)),
]


@pytest.mark.parametrize(("images", "picture", "text", "kv_type", "chunk", "measured"), MEASURED)
def test_transformers(
    spec: ModelSpec,
    images: int,
    picture: Picture,
    text: int,
    kv_type: str,
    chunk: int,
    measured: tuple[float, float, float],
) -> None:
    workload = Workload((*[2, picture] * images, text), 8)
    costs = TransformersCosts(spec, "BF16", 0, on_gpu=True)
    phases = estimate(costs, workload, RunShape(kv_type, chunk)).phases
    for counted, seen_gib in zip((phases.vision, phases.prefill, phases.decode), measured, strict=True):
        if seen_gib:
            assert -20 * MIB <= seen_gib * GIB - counted <= LIBRARY_BYTES + 12 * MIB


@pytest.mark.parametrize(
    ("tokens", "kv_type", "kv_gib", "compute_gib"),
    [
        (53_249, "16bit", 7.45, 0.55),
        (53_249, "q8_0", 3.96, 0.59),
        (53_249, "q4_0", 2.10, 0.59),
    ],
)
def test_llama_cpp(spec: ModelSpec, tokens: int, kv_type: str, kv_gib: float, compute_gib: float) -> None:
    # The cache of that run was for 54,272.
    costs, run = LlamaCosts(spec, 0, on_gpu=True, most_cells=54_272), RunShape(kv_type, 2048)
    assert costs.kv_bytes(tokens, tokens, run) / GIB == pytest.approx(kv_gib, rel=0.01)
    assert costs.prefill_bytes(2048, 0, tokens, run) / GIB == pytest.approx(compute_gib, rel=0.02)
