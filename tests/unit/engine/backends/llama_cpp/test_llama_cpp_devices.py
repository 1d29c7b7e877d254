"""How much of a model goes to the GPUs."""

from __future__ import annotations

import pytest

from desktopapp.engine.backends.llama_cpp.devices import (
    DEVICE_MARGIN_BYTES,
    Gpu,
    Placement,
    list_gpus,
    place,
    thread_count,
)
from desktopapp.errors import BackendUnavailable

GIB = 1 << 30


def gpu(free_gib: float, name: str = "CUDA0") -> Gpu:
    return Gpu(name, int(free_gib * GIB) + DEVICE_MARGIN_BYTES)


@pytest.mark.parametrize(
    ("wanted", "gpus", "needed_gib", "expected"),
    [
        ("auto", [], 4, Placement(0, "cpu")),
        ("cpu", [gpu(24)], 4, Placement(0, "cpu")),
        ("auto", [gpu(4)], 4, Placement(-1, "cuda:0")),
        ("cuda", [gpu(8)], 4, Placement(-1, "cuda:0")),
        ("auto", [gpu(3)], 4, Placement(27, "cuda:0 + cpu")),
        ("auto", [gpu(0)], 4, Placement(0, "cpu")),
        ("auto", [gpu(-0.5)], 4, Placement(0, "cpu")),
        ("auto", [gpu(2), gpu(2, "CUDA1")], 4, Placement(-1, "cuda:0")),
        ("auto", [gpu(8, "Metal")], 4, Placement(-1, "metal")),
    ],
)
def test_placement(wanted: str, gpus: list[Gpu], needed_gib: int, expected: Placement) -> None:
    assert place(wanted, gpus, needed_gib * GIB, layers=36) == expected


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(BackendUnavailable):
        place("cuda", [], GIB, layers=36)


def test_only_placed_layers_count_as_gpu() -> None:
    assert not Placement(0, "cpu").uses_gpu
    assert Placement(-1, "cuda:0").uses_gpu


def test_listed_gpus_have_memory() -> None:
    assert all(gpu.name and gpu.free_bytes >= 0 for gpu in list_gpus())


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert thread_count() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert thread_count() >= 1
