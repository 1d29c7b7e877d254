"""The real engine on a machine that is imagined small, and a neighbour that takes what is left of it at a chosen point.

Only what the engine reads of the machine is changed; `shrunk` (with `functools.partial`) is a backend factory for
`EngineProcess`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from desktopapp.engine.backends.registry import Backends
from tests import memory_faults


class SmallMachine:
    """Memory as `psutil` tells it: so much in all, of which this process holds what it really holds.

    Args:
        total_bytes: in all.
        file: while it is there, the neighbour keeps what it took.
    """

    def __init__(self, total_bytes: int, file: Path) -> None:
        self._total_bytes = total_bytes
        self._file = file
        self._others_bytes = 0
        self._process = psutil.Process()
        self._real = psutil.virtual_memory

    def leave(self, free_bytes: int) -> None:
        """The neighbour takes all but so much, once."""
        self._others_bytes = self._total_bytes - self._process.memory_info().rss - free_bytes

    def read(self) -> Any:
        """In the place of `psutil.virtual_memory`; as there, pages of mapped files are available."""
        if not self._file.exists():
            self._others_bytes = 0
        own = self._process.memory_info()
        anonymous_bytes = own.rss - getattr(own, "shared", 0)
        available = max(0, self._total_bytes - self._others_bytes - anonymous_bytes)
        return self._real()._replace(total=self._total_bytes, available=available)


def shrunk(file: str, total_bytes: int) -> Backends:
    """The backends that ship, with faults, on a small machine.

    Args:
        file: that arms a fault of the kind `neighbour`, see `memory_faults.Fault`.
        total_bytes: of the machine.
    """
    machine = SmallMachine(total_bytes, Path(file))
    psutil.virtual_memory = machine.read  # in the child, for the rest of its life
    return memory_faults.failing(file, machine.leave)
