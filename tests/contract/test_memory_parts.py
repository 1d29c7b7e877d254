"""What every backend says about its memory."""

from __future__ import annotations

from desktopapp.engine.backend import Backend, PromptProgress
from desktopapp.engine.price_events import MemoryParts
from tests.contract.conftest import REAL, Contender
from tests.contract.generation import ask, generate


def test_parts_follow_the_model_and_what_it_reads(contender: Contender) -> None:
    fresh = contender.make()
    assert fresh.memory_parts() == MemoryParts()
    backend, _ = contender.load()
    try:
        loaded = backend.memory_parts()
        if contender.choice.value not in REAL:
            assert loaded == MemoryParts()  # it has no model, and does not make one up
            return
        assert 0.95 < loaded.weights_bytes / contender.files.size_bytes < 1.05
        assert _kv_bytes_while_reading(backend) > 0
    finally:
        backend.unload()
    assert backend.memory_parts() == MemoryParts()


def _kv_bytes_while_reading(backend: Backend) -> int:
    seen = [
        backend.memory_parts().kv_cache_bytes
        for step in generate(backend, ask("How much? " * 40), max_new_tokens=2)
        if isinstance(step, PromptProgress)
    ]
    return max(seen)
