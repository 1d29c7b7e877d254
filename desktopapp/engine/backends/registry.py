"""The backends that ship. Each is imported when it is first used: torch alone takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from desktopapp.engine.backend import Backend, Capabilities
from desktopapp.engine.request import BackendChoice

Backends: TypeAlias = Mapping[BackendChoice, Callable[[], Backend]]
BackendFactory: TypeAlias = Callable[[], Backends]


def default_backends() -> Backends:
    """How to make each backend."""
    return {
        BackendChoice.TRANSFORMERS: _make_transformers,
        BackendChoice.LLAMA_CPP: _make_llama_cpp,
        BackendChoice.FAKE: _make_fake,
    }


def capabilities_of(backend: BackendChoice) -> Capabilities:
    """What a backend can do, without importing its libraries.

    Args:
        backend: not `AUTO`.
    """
    return default_backends()[backend]().capabilities


def _make_transformers() -> Backend:
    from desktopapp.engine.backends.transformers.backend import TransformersBackend

    return TransformersBackend()


def _make_llama_cpp() -> Backend:
    from desktopapp.engine.backends.llama_cpp.backend import LlamaCppBackend

    return LlamaCppBackend()


def _make_fake() -> Backend:
    from desktopapp.engine.backends.fake import FakeBackend

    return FakeBackend()
