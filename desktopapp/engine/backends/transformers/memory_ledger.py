"""Which tensors of a loaded network are what, for whoever draws it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from desktopapp.engine.price_events import MemoryParts


class HoldsKeysAndValues(Protocol):
    """A sequence under evaluation."""

    @property
    def kv_bytes(self) -> int:
        """Of its KV cache, as allocated."""
        ...


class MemoryLedger:
    """Written by the thread that computes, read by any other.

    Args:
        network: of transformers, loaded.
    """

    def __init__(self, network: Any) -> None:
        self._device: torch.device = network.device
        self._weights_bytes = storage_bytes([*network.parameters(), *network.buffers()])
        self._sequence: weakref.ref[HoldsKeysAndValues] | None = None
        self._features_bytes = 0
        self._is_looking = False

    def follow(self, sequence: HoldsKeysAndValues) -> None:
        """Count the KV cache of this sequence from now on, for as long as it lives."""
        self._sequence = weakref.ref(sequence)

    def hold_features(self, tensors: Iterable[torch.Tensor]) -> None:
        """These, and no others, are features of pictures that are still needed."""
        self._features_bytes = storage_bytes(tensors)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """What is allocated in the body belongs to the vision tower's work."""
        self._is_looking = True
        try:
            yield
        finally:
            self._is_looking = False

    def parts(self) -> MemoryParts:
        """What is held now. On the CPU, torch does not count what it allocates: there the work space is unknown."""
        sequence = self._sequence() if self._sequence is not None else None
        kv_bytes = sequence.kv_bytes if sequence is not None else 0
        known = MemoryParts(self._weights_bytes, self._features_bytes, kv_bytes)
        if self._device.type != "cuda":
            return known
        allocated = int(torch.cuda.memory_allocated(self._device))
        unused = int(torch.cuda.memory_reserved(self._device)) - allocated
        rest = max(0, allocated - known.total_bytes)
        vision, workspace = (rest, 0) if self._is_looking else (0, rest)
        return MemoryParts(
            self._weights_bytes, self._features_bytes + vision, kv_bytes, workspace, max(0, unused)
        )


def storage_bytes(tensors: Iterable[torch.Tensor]) -> int:
    """Memory behind tensors; what several of them share counts once."""
    storages = {
        storage.data_ptr(): storage.nbytes() for storage in (tensor.untyped_storage() for tensor in tensors)
    }
    return sum(storages.values())
