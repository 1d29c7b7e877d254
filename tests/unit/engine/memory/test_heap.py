from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from desktopapp.engine.memory import heap


@pytest.mark.parametrize(
    ("system", "has_it", "asked"), [("linux", True, [0]), ("linux", False, []), ("win32", True, [])]
)
def test_only_glibc_is_asked(
    monkeypatch: pytest.MonkeyPatch, system: str, *, has_it: bool, asked: list[int]
) -> None:
    calls: list[int] = []
    library = (
        SimpleNamespace(malloc_trim=lambda kept: calls.append(kept.value)) if has_it else SimpleNamespace()
    )
    monkeypatch.setattr(heap.sys, "platform", system)
    monkeypatch.setattr(heap, "ctypes", SimpleNamespace(CDLL=lambda _name: library, c_size_t=ctypes.c_size_t))
    heap.give_back_freed()
    assert calls == asked
