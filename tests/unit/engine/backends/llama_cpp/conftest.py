"""The llama.cpp backend with a small random model in 32 bits, loaded once for each file of tests."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.modelstore.model import ModelFiles
from tests.exact_attention import attention_in_32_bits
from tests.llama_cpp_runs import forget, load


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around each test of this folder and its fixtures, but those of memory, which depends on it."""
    ours = Path(__file__).parent in item.path.parents  # pytest asks about those of all folders
    with attention_in_32_bits() if ours and "memory" not in item.path.name else nullcontext():
        return (yield)


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
