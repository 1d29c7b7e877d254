"""The llama.cpp backend with a small random model in 32 bits, loaded once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.modelstore.model import ModelFiles
from tests.llama_cpp_runs import forget, load


@pytest.fixture(scope="module")
def shared(random_gguf: ModelFiles) -> Iterator[LlamaCppBackend]:
    backend = load(random_gguf)
    yield backend
    backend.unload()


@pytest.fixture
def backend(shared: LlamaCppBackend) -> LlamaCppBackend:
    forget(shared)
    return shared


@pytest.fixture(scope="module")
def reference(random_gguf: ModelFiles) -> Iterator[LlamaCppBackend]:
    """Another one, which forgets everything between two runs."""
    backend = load(random_gguf)
    yield backend
    backend.unload()
