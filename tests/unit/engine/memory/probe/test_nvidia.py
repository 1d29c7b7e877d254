from __future__ import annotations

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from desktopapp.engine.memory.probe import GpuAbsent, NvmlProbe, read_gpu

GIB = 2**30


class FakeNvml(ModuleType):
    """The few calls of pynvml that are used, for a machine with two GPUs."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.open = 0
        self.broken: set[str] = set()

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise self.NVMLError(name)

    def nvmlInit(self) -> None:  # noqa: N802
        self._check("init")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        self._check("handle")
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        return 1

    def nvmlDeviceGetName(self, device: int) -> str:  # noqa: N802
        return f"GPU {device}"

    def nvmlDeviceGetMemoryInfo(self, device: int) -> SimpleNamespace:  # noqa: N802
        self._check("memory")
        return SimpleNamespace(total=8 * GIB, free=6 * GIB, used=2 * GIB)

    def nvmlDeviceGetCudaComputeCapability(self, device: object) -> tuple[int, int]:  # noqa: N802
        return (9, 0)

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        return b"580.1"

    def nvmlDeviceGetComputeRunningProcesses(self, device: int) -> list[SimpleNamespace]:  # noqa: N802
        self._check("processes")
        return [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=GIB),
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=None),
            SimpleNamespace(pid=1, usedGpuMemory=5 * GIB),
        ]


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake


def test_a_gpu_is_sampled(nvml: FakeNvml) -> None:
    probe = NvmlProbe()
    sample = probe.sample()
    assert (sample.device, sample.is_gpu) == ("GPU 0", True)
    assert (sample.used_bytes, sample.total_bytes, sample.engine_bytes) == (2 * GIB, 8 * GIB, GIB)
    probe.close()
    assert nvml.open == 0


def test_a_driver_that_does_not_tell_about_processes_gives_zero(nvml: FakeNvml) -> None:
    nvml.broken.add("processes")
    assert NvmlProbe().sample().engine_bytes == 0


@pytest.mark.parametrize(("visible", "name"), [("1", "GPU 1"), ("GPU-ab12", "GPU 1"), ("0,1", "GPU 0")])
def test_the_gpu_that_cuda_would_use(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str, name: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    facts = read_gpu()
    assert facts is not None
    assert (facts.name, facts.free_bytes, facts.driver) == (name, 6 * GIB, "580.1")


@pytest.mark.parametrize("visible", ["", "-1"])
def test_hidden_gpus_are_no_gpus(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert read_gpu() is None
    with pytest.raises(GpuAbsent):
        NvmlProbe()
    assert nvml.open == 0


@pytest.mark.parametrize("broken", ["init", "handle", "memory"])
def test_no_driver_is_normal(nvml: FakeNvml, broken: str) -> None:
    nvml.broken.add(broken)
    assert read_gpu() is None
    assert nvml.open == 0


def test_a_driver_that_goes_away_is_told(nvml: FakeNvml) -> None:
    probe = NvmlProbe()
    nvml.broken.add("memory")
    with pytest.raises(GpuAbsent):
        probe.sample()


def test_without_the_package_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert read_gpu() is None


class Counters:
    def __init__(self) -> None:
        self.closed = False

    def read(self) -> tuple[int, int]:
        return GIB // 2, 3 * GIB

    def close(self) -> None:
        self.closed = True


def test_windows_counters_tell_what_spilled_and_what_nvml_does_not(nvml: FakeNvml) -> None:
    nvml.broken.add("processes")
    counters = Counters()
    probe = NvmlProbe(counters)
    sample = probe.sample()
    assert (sample.engine_bytes, sample.shared_bytes) == (GIB // 2, 3 * GIB)
    probe.close()
    assert counters.closed
