r"""What Windows counts of this process's GPU memory, where NVML cannot tell: the driver model (WDDM) manages it.

Under WDDM a GPU that is full does not refuse memory: the system silently puts some of it into its own memory,
about ten times slower. That shows in the counter `GPU Process Memory\Shared Usage`.

Sources: Microsoft's reference of the Performance Data Helper (PDH) functions; the counter set `GPU Process
Memory`, whose instances are named `pid_<process>_luid_<adapter>_phys_<number>`.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

_INSTANCE = re.compile(r"pid_(\d+)_luid_0x[0-9a-f]+_0x[0-9a-f]+_phys_\d+", re.IGNORECASE)
_DEDICATED = r"\GPU Process Memory(*)\Dedicated Usage"
_SHARED = r"\GPU Process Memory(*)\Shared Usage"
_PDH_FMT_LARGE = 0x400
_PDH_MORE_DATA = 0x800007D2
_PDH_OK = (0, 1)  # valid data, new data


class ProcessCounters(Protocol):
    """Counts this process's memory on GPUs."""

    def read(self) -> tuple[int, int]:
        """Bytes in the GPUs' memory, and bytes in system memory that GPUs use; zeros where unknown."""
        ...

    def close(self) -> None:
        """Give the query back."""
        ...


class CounterSource(Protocol):
    """Reads wildcard counters."""

    def read(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Dedicated and shared bytes by the counter's instance."""
        ...

    def close(self) -> None:
        """Give the query back."""
        ...


class GpuProcessMemory:
    """The two counters of this process.

    Args:
        source: reads them for all processes.
        process_id: of the process; None is this one.
    """

    def __init__(self, source: CounterSource, process_id: int | None = None) -> None:
        self._source = source
        self._process_id = os.getpid() if process_id is None else process_id

    def read(self) -> tuple[int, int]:
        """See `ProcessCounters.read`."""
        try:
            dedicated, shared = self._source.read()
        except OSError:
            return 0, 0
        return sum_of_process(dedicated, self._process_id), sum_of_process(shared, self._process_id)

    def close(self) -> None:
        """Give the query back."""
        self._source.close()


def sum_of_process(values: Mapping[str, int], process_id: int) -> int:
    """Add up one process's instances of a counter, one for each adapter.

    Args:
        values: bytes by instance.
        process_id: whose.
    """
    matches = ((_INSTANCE.fullmatch(instance), value) for instance, value in values.items())
    return sum(value for match, value in matches if match and int(match[1]) == process_id)


def open_process_counters() -> ProcessCounters | None:
    """The counters of this process; None where Windows has none (before version 1709, or a server core)."""
    try:
        return GpuProcessMemory(PdhSource())
    except (OSError, AttributeError):
        return None


class _CounterValue(ctypes.Structure):
    """`PDH_FMT_COUNTERVALUE` read as a large integer."""

    _fields_ = (("status", ctypes.c_uint32), ("value", ctypes.c_int64))


class _CounterItem(ctypes.Structure):
    """`PDH_FMT_COUNTERVALUE_ITEM_W`."""

    _fields_ = (("name", ctypes.c_wchar_p), ("counter", _CounterValue))


class PdhSource:
    """Windows' Performance Data Helper.

    Raises:
        OSError: there is no such counter.
        AttributeError: this is not Windows.
    """

    def __init__(self) -> None:
        # `getattr`: the name is there on Windows alone.
        self._pdh: Any = getattr(ctypes, "WinDLL")("pdh.dll")  # noqa: B009
        self._query = ctypes.c_void_p()
        self._check(self._pdh.PdhOpenQueryW(None, None, ctypes.byref(self._query)))
        try:
            self._counters = tuple(self._add(path) for path in (_DEDICATED, _SHARED))
        except OSError:
            self.close()
            raise

    def read(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """See `CounterSource.read`."""
        self._check(self._pdh.PdhCollectQueryData(self._query))
        dedicated, shared = (self._values(counter) for counter in self._counters)
        return dedicated, shared

    def close(self) -> None:
        """Give the query back."""
        self._pdh.PdhCloseQuery(self._query)

    def _add(self, path: str) -> ctypes.c_void_p:
        counter = ctypes.c_void_p()
        # The English name, whatever language Windows speaks.
        self._check(self._pdh.PdhAddEnglishCounterW(self._query, path, None, ctypes.byref(counter)))
        return counter

    def _values(self, counter: ctypes.c_void_p) -> dict[str, int]:
        size, count = ctypes.c_uint32(0), ctypes.c_uint32(0)
        arguments = (counter, _PDH_FMT_LARGE, ctypes.byref(size), ctypes.byref(count))
        status = self._pdh.PdhGetFormattedCounterArrayW(*arguments, None) & 0xFFFFFFFF
        if status == 0:
            return {}
        if status != _PDH_MORE_DATA:
            raise OSError(status, "PDH")
        # The strings stand behind the items in the same buffer.
        buffer = ctypes.create_string_buffer(size.value)
        self._check(self._pdh.PdhGetFormattedCounterArrayW(*arguments, buffer))
        items = (_CounterItem * count.value).from_buffer(buffer)
        return valid_values((item.name, item.counter.status, item.counter.value) for item in items)

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise OSError(status & 0xFFFFFFFF, "PDH")


def valid_values(items: Iterable[tuple[str | None, int, int]]) -> dict[str, int]:
    """Counter values by instance, of the items (name, status, value) that hold data."""
    return {name: value for name, status, value in items if name and status in _PDH_OK}
