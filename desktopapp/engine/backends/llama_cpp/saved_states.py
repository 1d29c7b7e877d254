"""Conversations that left the KV cache for another one, kept in system memory for their return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil

from desktopapp.engine.backends.llama_cpp.cached_sequence import CachedSequence

LARGEST_BYTES = 2 << 30
"""Most memory that saved states take."""

# Nor more than a quarter of what is free: the states only save time.
_SHARE_OF_FREE = 4


@dataclass(frozen=True, slots=True, eq=False)
class SavedState:
    """The content of a KV cache.

    Args:
        sequence: what it holds; llama.cpp's data does not tell.
        data: from `llama_state_seq_get_data`.
    """

    sequence: CachedSequence
    data: Any


class SavedStates:
    """The latest states within the memory allowed."""

    def __init__(self) -> None:
        self._states: list[SavedState] = []

    @property
    def states(self) -> tuple[SavedState, ...]:
        """Latest first."""
        return tuple(reversed(self._states))

    @property
    def size_bytes(self) -> int:
        """Of all states. Safe from any thread."""
        return sum(len(state.data) for state in self.states)

    def make_room(self, size_bytes: int) -> bool:
        """Drop the oldest states until one of this size may be added; False if it never may."""
        free_bytes = psutil.virtual_memory().available + self.size_bytes
        allowed_bytes = min(LARGEST_BYTES, free_bytes // _SHARE_OF_FREE)
        if size_bytes > allowed_bytes:
            return False
        while self.size_bytes + size_bytes > allowed_bytes:
            del self._states[0]
        return True

    def add(self, state: SavedState) -> None:
        """Keep a state, as the latest."""
        self._states.append(state)

    def take(self, state: SavedState) -> None:
        """Let go of one that returned into the cache."""
        self._states.remove(state)

    def clear(self) -> None:
        """Let go of all."""
        self._states.clear()
