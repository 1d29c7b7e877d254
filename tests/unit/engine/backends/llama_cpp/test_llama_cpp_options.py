"""Types of numbers in the KV cache, limits of pictures, batches, contexts."""

from __future__ import annotations

import dataclasses

import pytest

from desktopapp.engine.backend import ImageEvaluated, LoadOptions, PromptProgress, RunOptions
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend, context
from desktopapp.engine.events import FinishReason
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable, OutOfMemory
from desktopapp.modelstore.model import ModelFiles
from tests.llama_cpp_runs import GREEDY, ask, forget, fresh, inside, load, run, then
from tests.near_ties import equal_tokens, lead_of_each_token
from tests.pictures import NoisePicture


@pytest.mark.parametrize("batch", [1, 7, 64, 512])
def test_every_batch_size_gives_the_same_tokens(
    backend: LlamaCppBackend, reference: LlamaCppBackend, batch: int
) -> None:
    first = ask(NoisePicture(300, 200), "x" * 100)
    second = then(first, "This.", NoisePicture(200, 300, 2), "And?")
    expected = fresh(reference, first), fresh(reference, second)
    options = RunOptions(prefill_chunk_tokens=batch)
    runs = run(backend, first, options=options), run(backend, second, options=options)
    assert (runs[0].tokens, runs[1].tokens) == expected
    assert runs[1].cached > 150
    # One step at the begin and one for each evaluation.
    evaluations = [step for step in runs[0].steps if isinstance(step, PromptProgress)]
    assert len(evaluations) > runs[0].progress.total_tokens // batch - 70


def test_a_full_context_ends_the_answer_and_keeps_it(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf, context_tokens=128)
    prompt = ask("x" * 60)
    steps = run(backend, prompt, 500, dataclasses.replace(GREEDY, presence_penalty=1000.0))
    assert steps.end.reason in (FinishReason.LENGTH, FinishReason.STOP)
    assert steps.tokens
    assert run(backend, prompt, 3).cached == steps.progress.total_tokens - 1
    backend.unload()


@pytest.mark.parametrize("kv_type", ["f32", "16bit", "q8_0", "q4_0"])
def test_kv_types(random_gguf: ModelFiles, kv_type: str) -> None:
    backend = load(random_gguf, kv_type=kv_type)
    first = ask(NoisePicture(300, 200), "What is it?")
    second = then(first, "This.", "x" * 100)
    run(backend, first)
    size = inside(backend).context.state_bytes / inside(backend).context.cells_used
    reused = run(backend, second)
    forget(backend)
    assert reused.cached > 70
    with lead_of_each_token() as leads:
        anew = run(backend, second)
    # Other batches round otherwise, and with that here and there a number of few bits.
    assert equal_tokens(reused.tokens, anew.tokens, leads, near_tie=0.05) >= 3
    # Four layers of one KV head with 128 numbers, keys and values.
    values = 4 * 2 * 128
    wanted = {"f32": 4, "16bit": 2, "q8_0": 34 / 32, "q4_0": 18 / 32}[kv_type] * values
    assert wanted <= size < wanted * 1.2
    backend.unload()


def test_a_kv_type_that_is_none(random_gguf: ModelFiles) -> None:
    with pytest.raises(BackendUnavailable, match="q9"):
        load(random_gguf, kv_type="q9")


def test_a_build_without_a_kv_type(random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        context.log.add(4, b"llama_init_from_model: quantized V cache requires flash_attn to be enabled\n")

    monkeypatch.setattr(context.llama, "llama_init_from_model", refuse)
    with pytest.raises(BackendUnavailable, match=r"q8_0.*requires flash_attn"):
        load(random_gguf, kv_type="q8_0")


def test_picture_tokens_follow_the_load_options(random_gguf: ModelFiles) -> None:
    backend = LlamaCppBackend()
    options = LoadOptions(device="cpu", image_min_tokens=16, image_max_tokens=30)
    facts = backend.load(random_gguf, options, StepClock(), lambda *_: None)
    assert (facts.pixel_budget.min_pixels, facts.pixel_budget.max_pixels) == (16 * 1024, 30 * 1024)
    for size in ((2000, 1000), (40, 30)):
        steps = run(backend, ask(NoisePicture(*size), "?"), 1).steps
        (tokens,) = [step.tokens for step in steps if isinstance(step, ImageEvaluated)]
        assert 16 <= tokens <= 30
    backend.unload()


def test_a_run_chooses_its_numbers(backend: LlamaCppBackend, reference: LlamaCppBackend) -> None:
    """Without loading the weights again, and without taking what was evaluated in other numbers."""
    first = ask(NoisePicture(300, 200), "x" * 300)
    second = then(first, "This.", "And?")
    weights = inside(backend).weights
    run(backend, first)
    packed = RunOptions(kv_type="q8_0")
    begun = run(backend, first, options=packed)
    assert (begun.cached, run(backend, second, options=packed).cached > 370) == (0, True)
    assert inside(backend).context.state_bytes < 200 * 4 * 2 * 128 * 4
    again = run(backend, second)
    assert again.cached == 0
    assert again.tokens == fresh(reference, second)
    assert inside(backend).weights is weights


@pytest.mark.parametrize("kv_type", ["fp8_e4m3", "int8", "q9"])
def test_a_run_cannot_have_other_backends_numbers(backend: LlamaCppBackend, kv_type: str) -> None:
    prompt = ask("x" * 100)
    run(backend, prompt)
    with pytest.raises(BackendUnavailable, match=kv_type):
        run(backend, prompt, options=RunOptions(kv_type=kv_type))
    assert run(backend, prompt).cached > 100


def test_other_batches_keep_what_was_evaluated(backend: LlamaCppBackend, reference: LlamaCppBackend) -> None:
    first = ask(NoisePicture(300, 200), "x" * 100)
    second = then(first, "This.", "And?")
    run(backend, first)
    compute = inside(backend).memory_parts().workspace_bytes
    result = run(backend, second, options=RunOptions(prefill_chunk_tokens=16))
    assert result.cached > 170
    assert result.tokens == fresh(reference, second)
    assert inside(backend).memory_parts().workspace_bytes < compute


def test_the_cache_grows_to_the_plan_and_shrinks_to_it(
    random_gguf: ModelFiles, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "SMALLEST_CELLS", 256)
    monkeypatch.setattr(context, "CELLS_STEP", 256)
    backend = load(random_gguf)
    cells = inside(backend).context
    first = ask("x" * 600)
    run(backend, first, 5, options=RunOptions(context_tokens=700))
    assert cells.cells == 700
    second = then(first, "Yes.", "And?")
    run(backend, second, 5, options=RunOptions(context_tokens=2000))
    assert cells.cells == 700
    run(backend, then(first, "Yes.", "y" * 200), 5)
    assert cells.cells > 1000
    result = run(backend, second, options=RunOptions(context_tokens=1000))
    assert cells.cells == 1024
    assert result.cached > 600
    assert result.tokens == fresh(reference, second)
    short = ask("z")
    result = run(backend, short, options=RunOptions(context_tokens=300))
    assert cells.cells == 512
    assert result.tokens == fresh(reference, short)
    backend.unload()


def test_a_conversation_longer_than_the_plan_is_not_brought_back(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    long, short = ask("same" * 80 + "x" * 600), ask("same" * 80 + "?")
    run(backend, long)
    run(backend, ask("y" * 600))
    result = run(backend, short, options=RunOptions(context_tokens=400))
    assert result.tokens == fresh(reference, short)


def test_a_shape_that_does_not_fit_leaves_the_old_one(
    backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = ask("x" * 100)
    expected = run(backend, prompt).tokens
    open_cache = context.TextContext._open

    def open_only_512(self: context.TextContext, cells: int) -> None:
        if self.shape.batch_tokens != 512:
            raise OutOfMemory(what="making room", detail="")
        open_cache(self, cells)

    monkeypatch.setattr(context.TextContext, "_open", open_only_512)
    with pytest.raises(OutOfMemory):
        run(backend, prompt, options=RunOptions(prefill_chunk_tokens=1024))
    result = run(backend, prompt)
    assert result.cached > 100
    assert result.tokens == expected
