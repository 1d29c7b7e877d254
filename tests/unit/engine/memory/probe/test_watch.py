"""Which device is sampled, and what happens while a driver is replaced."""

from desktopapp.engine.memory.probe import SYSTEM_MEMORY, DeviceWatch, GpuAbsent
from desktopapp.engine.memory.probe.watch import REOPEN_PERIOD_S
from desktopapp.engine.price_events import MemoryParts, MemorySample

GIB = 2**30
PARTS = MemoryParts(weights_bytes=3 * GIB, kv_cache_bytes=GIB)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Gpu:
    """A GPU whose driver can go and come."""

    def __init__(self, engine_bytes: int = 0) -> None:
        self.engine_bytes = engine_bytes
        self.there = True
        self.opened = self.closed = 0

    def open(self) -> "Gpu":
        self.opened += 1
        if not self.there:
            raise GpuAbsent
        return self

    def sample(self) -> MemorySample:
        if not self.there:
            raise GpuAbsent
        return MemorySample("GPU", True, 6 * GIB, 8 * GIB, self.engine_bytes)

    def close(self) -> None:
        self.closed += 1


def test_a_gpu_is_read_until_a_model_runs_on_the_processor() -> None:
    watch = DeviceWatch(Gpu().open)
    assert watch.sample().device == "GPU"
    assert watch.sample(on_gpu=True).device == "GPU"
    assert watch.sample(on_gpu=False).device == SYSTEM_MEMORY


def test_a_replaced_driver_is_found_again() -> None:
    gpu, clock = Gpu(), Clock()
    watch = DeviceWatch(gpu.open, clock)
    assert watch.sample().is_gpu
    gpu.there = False
    assert not watch.sample().is_gpu
    assert gpu.closed == 1
    clock.now_s += REOPEN_PERIOD_S
    assert not watch.sample().is_gpu
    gpu.there = True
    assert not watch.sample().is_gpu
    assert gpu.opened == 2
    clock.now_s += REOPEN_PERIOD_S
    assert watch.sample().is_gpu
    watch.close()
    assert gpu.closed == 2


def test_a_machine_without_a_gpu_is_asked_once() -> None:
    gpu, clock = Gpu(), Clock()
    gpu.there = False
    watch = DeviceWatch(gpu.open, clock)
    for _ in range(5):
        assert not watch.sample().is_gpu
        clock.now_s += 1000
    assert gpu.opened == 1


def test_parts_go_along_and_stand_in_for_what_the_driver_hides() -> None:
    assert DeviceWatch(Gpu(5 * GIB).open).sample(PARTS).engine_bytes == 5 * GIB
    sample = DeviceWatch(Gpu().open).sample(PARTS)
    assert (sample.parts, sample.engine_bytes) == (PARTS, 4 * GIB)


def test_the_system_s_memory_is_named_so_and_adds_up() -> None:
    sample = DeviceWatch(Gpu().open).sample(on_gpu=False)
    assert (sample.device, sample.is_gpu) == (SYSTEM_MEMORY, False)
    assert 0 < sample.engine_bytes <= sample.used_bytes <= sample.total_bytes
