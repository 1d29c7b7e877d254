"""The KV cache grows with a conversation, and survives where it cannot."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from desktopapp.engine.backend import (
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend, context
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.steps import StepClock
from desktopapp.errors import OutOfMemory
from desktopapp.modelstore.model import ModelFiles
from tests.llama_cpp_runs import GREEDY, ask, inside, load, run
from tests.pictures import NoisePicture


def test_growing_the_cache_keeps_its_content(
    random_gguf: ModelFiles, backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = ask(NoisePicture(96, 64), "Look")
    expected = run(backend, prompt, 60).tokens
    monkeypatch.setattr(context, "SMALLEST_CELLS", 96)
    small = load(random_gguf)
    before = inside(small).context.cells
    grown = run(small, prompt, 60).tokens
    after = inside(small).context.cells
    small.unload()
    assert before < after
    assert grown == expected


def test_growth_that_does_not_fit_is_refused_and_survived(
    random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "SMALLEST_CELLS", 96)
    backend = load(random_gguf)
    monkeypatch.setattr(context, "_CONTEXT_MARGIN_BYTES", 1 << 60)
    with pytest.raises(OutOfMemory):
        run(backend, ask("x " * 200))
    assert run(backend, ask("x")).tokens
    backend.unload()


def test_a_cache_that_cannot_be_made_leaves_the_old_one(
    random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where only the attempt tells: the content must survive it."""
    monkeypatch.setattr(context, "SMALLEST_CELLS", 256)
    backend = load(random_gguf)
    kept = inside(backend).context
    prompt = ask(NoisePicture(96, 64), "Look")
    expected = run(backend, prompt, 30).tokens
    open_cache = context.TextContext._open

    def open_small(self: context.TextContext, cells: int) -> None:
        if cells > 256:
            raise OutOfMemory(what="making room", detail="")
        open_cache(self, cells)

    generation = backend.generate(prompt, GREEDY, 30, CancelToken(), StepClock())
    answer = [next(step for step in generation if isinstance(step, TokenAdded)).token_id]
    monkeypatch.setattr(context.TextContext, "_open", open_small)
    with pytest.raises(OutOfMemory):
        kept.ensure(300)
    answer += [step.token_id for step in generation if isinstance(step, TokenAdded)]
    backend.unload()
    assert answer == expected


def test_a_cache_that_could_not_be_made_at_all_is_made_later(
    random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "SMALLEST_CELLS", 256)
    backend = load(random_gguf)
    prompt = ask(NoisePicture(96, 64), "Look")
    expected = run(backend, prompt, 10).tokens

    def open_nothing(_self: context.TextContext, _cells: int) -> None:
        raise OutOfMemory(what="making room", detail="")

    with monkeypatch.context() as full:
        full.setattr(context.TextContext, "_open", open_nothing)
        for _ in range(2):
            with pytest.raises(OutOfMemory):
                run(backend, ask("x " * 300))
    assert run(backend, prompt, 10).tokens == expected
    backend.unload()


def test_the_copy_of_a_growing_cache_counts_as_memory(
    random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "SMALLEST_CELLS", 1024)
    monkeypatch.setattr(context, "_CONTEXT_MARGIN_BYTES", 0)
    backend = load(random_gguf)
    kept = inside(backend).context
    kept.decode_tokens([1] * 512)
    cell_bytes = kept._shape.cell_bytes
    # The graph's mask has 16 bits for each token of a batch and each cell.
    mask_bytes = 2 * kept._shape.batch_tokens * 1024
    for available_cells, fits in ((1024 + 511, False), (1024 + 512, True)):
        memory = SimpleNamespace(available=available_cells * cell_bytes + mask_bytes)
        monkeypatch.setattr(context.psutil, "virtual_memory", lambda memory=memory: memory)
        if fits:
            kept.ensure(2048)
        else:
            with pytest.raises(OutOfMemory):
                kept.ensure(2048)
    assert kept.cells == 2048
    backend.unload()


def test_a_smaller_cache_finds_its_room_in_the_old_one(
    random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing else is free, a step down must not fail for what the old cache and its graph give back."""
    monkeypatch.setattr(context, "_CONTEXT_MARGIN_BYTES", 0)
    backend = load(random_gguf)
    kept = inside(backend).context
    kept.ensure(1024)
    shape = kept._shape
    monkeypatch.setattr(context.psutil, "virtual_memory", lambda: SimpleNamespace(available=0))
    with pytest.raises(OutOfMemory):
        kept.reshape(replace(shape, batch_tokens=2 * shape.batch_tokens))
    kept.reshape(replace(shape, batch_tokens=shape.batch_tokens // 2))
    assert kept._shape.batch_tokens == shape.batch_tokens // 2
    backend.unload()
