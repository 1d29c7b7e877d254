"""How much of a model goes to the GPUs."""

from __future__ import annotations

import pytest

from desktopapp.engine.backend import LoadOptions
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
        ("auto", [], 4, Placement(0, False, "cpu")),
        ("cpu", [gpu(24)], 4, Placement(0, False, "cpu")),
        ("auto", [gpu(4)], 4, Placement(-1, True, "cuda:0")),
        ("cuda", [gpu(8)], 4, Placement(-1, True, "cuda:0")),
        ("auto", [gpu(3)], 4, Placement(27, True, "cuda:0 + cpu")),
        ("auto", [gpu(0)], 4, Placement(0, False, "cpu")),
        ("auto", [gpu(-0.5)], 4, Placement(0, False, "cpu")),
        ("auto", [gpu(2), gpu(2, "CUDA1")], 4, Placement(-1, True, "cuda:0")),
        ("auto", [gpu(8, "Metal")], 4, Placement(-1, True, "metal")),
    ],
)
def test_placement(wanted: str, gpus: list[Gpu], needed_gib: int, expected: Placement) -> None:
    assert place(LoadOptions(device=wanted), gpus, needed_gib * GIB, layers=36) == expected


@pytest.mark.parametrize(
    ("gpu_layers", "vision_on_gpu", "expected"),
    [
        (0, None, Placement(0, False, "cpu")),
        (0, True, Placement(0, True, "cpu")),
        (12, None, Placement(12, True, "cuda:0 + cpu")),
        (12, False, Placement(12, False, "cuda:0 + cpu")),
        (-1, False, Placement(-1, False, "cuda:0")),
        (37, None, Placement(37, True, "cuda:0")),
    ],
)
def test_a_plan_places(gpu_layers: int, vision_on_gpu: bool | None, expected: Placement) -> None:
    """Whatever is free: the plan knows what else is wanted of the memory."""
    options = LoadOptions(gpu_layers=gpu_layers, projector_on_gpu=vision_on_gpu)
    assert place(options, [gpu(1)], 4 * GIB, layers=36) == expected


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(BackendUnavailable):
        place(LoadOptions(device="cuda"), [], GIB, layers=36)


def test_only_placed_layers_count_as_gpu() -> None:
    assert not Placement(0, True, "cpu").uses_gpu
    assert Placement(-1, False, "cuda:0").uses_gpu


def test_listed_gpus_have_memory() -> None:
    assert all(gpu.name and gpu.free_bytes >= 0 for gpu in list_gpus())


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert thread_count() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert thread_count() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert thread_count() >= 1
