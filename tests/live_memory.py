"""Counts the bytes of tensors that are alive while torch code runs, on any device, the meta device included.

It sees what the program keeps; what a kernel takes for itself while it runs it does not see.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


class LiveMemory(TorchDispatchMode):
    """Counts storages that come out of operations while it is active.

    Attributes:
        now_bytes: alive.
        peak_bytes: the most that was.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, int] = {}
        self.now_bytes = 0
        self.peak_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_iter(result):
            if isinstance(value, torch.Tensor):
                self._count(value.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        size_bytes = storage.nbytes()
        self._known[key] = size_bytes
        self.now_bytes += size_bytes
        self.peak_bytes = max(self.peak_bytes, self.now_bytes)
        weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.now_bytes -= self._known.pop(key, 0)
