"""What is made of Windows' counters; the calls into PDH themselves need Windows."""

import sys
from collections.abc import Mapping

import pytest

from desktopapp.engine.memory.probe.windows_counters import (
    GpuProcessMemory,
    open_process_counters,
    sum_of_process,
    valid_values,
)

DEDICATED = {
    "pid_1234_luid_0x00000000_0x0000C7A9_phys_0": 5_000,
    "pid_1234_luid_0x00000000_0x0001F2B0_phys_0": 70,
    "pid_123_luid_0x00000000_0x0000C7A9_phys_0": 900_000,
    "pid_12345_luid_0x00000000_0x0000C7A9_phys_0": 800_000,
    "_Total": 7,
}


class Source:
    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.closed = False

    def read(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        if self.fails:
            raise OSError(0x800007D5, "PDH")
        return DEDICATED, {"pid_1234_luid_0x00000000_0x0000C7A9_phys_0": 42}

    def close(self) -> None:
        self.closed = True


def test_instances_of_one_process_on_all_adapters_add_up() -> None:
    assert sum_of_process(DEDICATED, 1234) == 5_070
    assert sum_of_process(DEDICATED, 12) == 0


def test_dedicated_and_shared_of_the_process() -> None:
    source = Source()
    counters = GpuProcessMemory(source, 1234)
    assert counters.read() == (5_070, 42)
    counters.close()
    assert source.closed


def test_a_query_that_fails_is_unknown_and_not_fatal() -> None:
    assert GpuProcessMemory(Source(fails=True), 1234).read() == (0, 0)


def test_items_without_data_or_name_are_left_out() -> None:
    items = [("a", 0, 1), ("b", 1, 2), ("c", 0xC0000BBA, 3), (None, 0, 4)]
    assert valid_values(items) == {"a": 1, "b": 2}


@pytest.mark.skipif(sys.platform == "win32", reason="there the counters may be there")
def test_other_systems_have_no_such_counters() -> None:
    assert open_process_counters() is None
