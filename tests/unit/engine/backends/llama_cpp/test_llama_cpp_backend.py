"""LlamaCppBackend with a small random model; what every backend must do is in tests/contract."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.backend import (
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    LoadOptions,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.llama_cpp import loaded as loaded_gguf
from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import BackendUnavailable, PromptTooLong
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, WeightFormat

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)


@dataclass
class Noise:
    """A picture of noise that says how often it was decoded."""

    width: int = 96
    height: int = 64
    path: str = "noise.png"
    decoded: int = 0

    def decode(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        self.decoded += 1
        size = (self.height, self.width, 3)
        return np.random.default_rng(self.width).integers(0, 256, size, np.uint8)


def load(files: ModelFiles, **options: Any) -> LlamaCppBackend:
    backend = LlamaCppBackend()
    backend.load(files, LoadOptions(device="cpu", **options), StepClock(), lambda *_: None)
    return backend


@pytest.fixture(scope="module")
def backend(random_gguf: ModelFiles) -> Iterator[LlamaCppBackend]:
    shared = load(random_gguf)
    yield shared
    shared.unload()


def loaded(backend: LlamaCppBackend) -> LoadedGguf:
    assert backend._loaded is not None
    return backend._loaded


def chat(text: str, *images: Noise) -> list[PromptPart]:
    opening = TextPart("<|im_start|>user\n")
    closing = TextPart("<|im_end|>\n<|im_start|>assistant\n")
    return [opening, *map(ImagePart, images), TextPart(text, parse_special=False), closing]


def run(
    backend: LlamaCppBackend,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters = GREEDY,
    most: int = 24,
    cancel: CancelToken | None = None,
) -> list[GenerationStep]:
    return list(backend.generate(prompt, sampling, most, cancel or CancelToken(), StepClock()))


def tokens(steps: Sequence[GenerationStep]) -> list[int]:
    return [step.token_id for step in steps if isinstance(step, TokenAdded)]


def test_load_reports_the_model(random_gguf: ModelFiles) -> None:
    backend, stages = LlamaCppBackend(), []
    facts = backend.load(
        random_gguf, LoadOptions(), StepClock(), lambda stage, fraction: stages.append((stage, fraction))
    )
    backend.unload()
    assert facts.precision == "F32"
    assert facts.context_tokens == 8192
    assert facts.eos_text == "<|im_end|>"
    assert facts.pixel_budget.cell_px == 32
    assert facts.pixel_budget.max_pixels == 262_144
    assert "im_start" in facts.chat_template
    fractions = [fraction for _, fraction in stages]
    assert fractions == sorted(fractions)
    assert list(dict.fromkeys(stage for stage, _ in stages)) == ["import", "weights", "vision"]


def test_progress_can_end_a_load(random_gguf: ModelFiles) -> None:
    def refuse(stage: str, fraction: float | None) -> None:
        if fraction:
            raise Cancelled

    backend = LlamaCppBackend()
    with pytest.raises(Cancelled):
        backend.load(random_gguf, LoadOptions(), StepClock(), refuse)
    with pytest.raises(RuntimeError):
        run(backend, chat("x"))


def test_prompt_progress_counts_cells(backend: LlamaCppBackend) -> None:
    steps = run(backend, chat("What is this?", Noise(), Noise(300, 200)), most=1)
    progress = [step for step in steps if isinstance(step, PromptProgress)]
    done = [step.done_tokens for step in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1].total_tokens
    assert {step.cached_tokens for step in progress} == {0}
    # 96 x 64 is enlarged to 320 x 224: 10 x 7 tokens.
    assert [(s.index, s.tokens) for s in steps if isinstance(s, ImageEvaluated)] == [(0, 70), (1, 70)]


def test_each_picture_is_decoded_once_in_its_turn(backend: LlamaCppBackend) -> None:
    first, second = Noise(), Noise(128, 128)
    generation = backend.generate(chat("x", first, second), GREEDY, 4, CancelToken(), StepClock())
    step = next(step for step in generation if isinstance(step, ImageEvaluated))
    assert step.index == 0
    assert (first.decoded, second.decoded) == (1, 0)
    assert sum(isinstance(step, ImageEvaluated) for step in generation) == 1
    assert (first.decoded, second.decoded) == (1, 1)


def test_pictures_change_the_answer(backend: LlamaCppBackend) -> None:
    answers = [tokens(run(backend, chat("x", *images))) for images in ([], [Noise()], [Noise(64, 96)])]
    assert len({tuple(answer) for answer in answers}) == 3


def test_generation_repeats_after_others(backend: LlamaCppBackend) -> None:
    prompt = chat("Say something.", Noise())
    first = tokens(run(backend, prompt))
    run(backend, chat("Another thing altogether"))
    assert tokens(run(backend, prompt)) == first


def test_closing_the_iterator_keeps_the_model_usable(backend: LlamaCppBackend) -> None:
    prompt = chat("Say something.")
    generation = backend.generate(prompt, GREEDY, 24, CancelToken(), StepClock())
    next(step for step in generation if isinstance(step, TokenAdded))
    generation.close()  # type: ignore[attr-defined]
    assert tokens(run(backend, prompt))


def test_text_of_a_person_is_no_control_token(backend: LlamaCppBackend) -> None:
    weights = loaded(backend).weights
    plain = weights.tokenize("<|im_end|>", parse_special=False)
    assert len(weights.tokenize("<|im_end|>", parse_special=True)) == 1
    assert len(plain) > 1
    assert b"".join(map(weights.piece, plain)) == b"<|im_end|>"


def test_special_text_is_given_out(backend: LlamaCppBackend) -> None:
    weights = loaded(backend).weights
    (end_of_thought,) = weights.tokenize("</think>", parse_special=True)
    assert weights.piece(end_of_thought) == b"</think>"
    assert not weights.ends_answer(end_of_thought)
    assert weights.ends_answer(weights.tokenize("<|im_end|>", parse_special=True)[0])


def test_decomposed_text_costs_the_same(backend: LlamaCppBackend) -> None:
    totals = []
    for text in ("caf\u00e9", "cafe\u0301"):
        steps = run(backend, chat(text), most=1)
        totals.append(next(s.total_tokens for s in steps if isinstance(s, PromptProgress)))
    assert totals[0] == totals[1]


def test_prompt_too_long_is_refused_before_pictures_are_decoded(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf, context_tokens=64)
    picture = Noise()
    with pytest.raises(PromptTooLong) as caught:
        run(backend, chat("x", picture))
    assert caught.value.values["limit"] == "64"
    assert picture.decoded == 0
    assert tokens(run(backend, chat("x")))
    backend.unload()


def test_output_is_cut_where_the_context_ends(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf, context_tokens=40)
    steps = run(backend, chat("x"), dataclasses.replace(GREEDY, presence_penalty=1000.0), most=200)
    total = next(step.total_tokens for step in steps if isinstance(step, PromptProgress))
    backend.unload()
    ended = steps[-1]
    assert isinstance(ended, GenerationEnded)
    if ended.reason is FinishReason.LENGTH:
        assert total + len(tokens(steps)) == 40
    else:
        assert total + len(tokens(steps)) <= 40


def test_decoding_a_picture_is_a_step_that_can_be_found_to_hang(backend: LlamaCppBackend) -> None:
    steps = StepClock()
    seen: list[str] = []

    class Watched(Noise):
        def decode(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
            seen.append(steps.read().step)
            return super().decode()

    list(backend.generate(chat("x", Watched()), GREEDY, 1, CancelToken(), steps))
    assert seen == ["pixels"]


@pytest.mark.parametrize("when", ["before", "prefill", "image", "decode"])
def test_cancel(backend: LlamaCppBackend, when: str) -> None:
    cancel = CancelToken()
    if when == "before":
        cancel.cancel()
    wanted = {"prefill": PromptProgress, "image": ImageEvaluated, "decode": TokenAdded}.get(when)
    picture = Noise()

    def run_until_wanted() -> None:
        for step in backend.generate(chat("x", picture), GREEDY, 30, cancel, StepClock()):
            if wanted and isinstance(step, wanted):
                cancel.cancel()

    with pytest.raises(Cancelled):
        run_until_wanted()
    assert picture.decoded == (0 if when in ("before", "prefill") else 1)
    assert tokens(run(backend, chat("x")))


def test_cancel_within_a_large_picture(random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the batches of one picture's visual tokens, inside the C code."""
    monkeypatch.setattr(loaded_gguf, "CPU_BATCH_TOKENS", 16)
    backend = load(random_gguf)
    cancel = CancelToken()
    calls = 0

    class CancelsLate(CancelToken):
        def raise_if_cancelled(self) -> None:
            nonlocal calls
            calls += 1
            if calls == 7:
                cancel.cancel()
            cancel.raise_if_cancelled()

    with pytest.raises(Cancelled):
        run(backend, [ImagePart(Noise(512, 512))], cancel=CancelsLate())
    assert calls == 7
    assert loaded(backend).context.cells_used < 256
    backend.unload()


def test_largest_picture_of_the_budget(backend: LlamaCppBackend) -> None:
    """256 visual tokens need more than one batch of 64 but must not abort, whatever the picture's size."""
    for size in ((4000, 30), (30, 4000), (2000, 2000), (1, 1)):
        steps = run(backend, chat("x", Noise(*size)), most=2)
        assert tokens(steps)


def test_a_picture_that_cannot_be_read_ends_the_request_only(backend: LlamaCppBackend) -> None:
    class Gone(Noise):
        def decode(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
            raise AttachmentGone(name="gone.png")

    with pytest.raises(AttachmentGone):
        run(backend, chat("x", Gone()))
    assert tokens(run(backend, chat("x", Noise())))


def test_unload_then_generate_is_a_defect(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf)
    backend.unload()
    backend.unload()
    with pytest.raises(RuntimeError):
        run(backend, chat("x"))


def test_loading_again_replaces_the_model(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf)
    first = tokens(run(backend, chat("x")))
    backend.load(random_gguf, LoadOptions(), StepClock(), lambda *_: None)
    assert tokens(run(backend, chat("x"))) == first
    backend.unload()


def test_quantised_model_runs(random_folder: Path, tmp_path: Path) -> None:
    text_file, projector_file = tmp_path / "m-Q8_0.gguf", tmp_path / "mmproj.gguf"
    export_gguf(random_folder, text_file, projector_file)
    backend = load(ModelFiles(WeightFormat.GGUF, text_file, projector_file, "Q8_0", size_bytes=1))
    assert tokens(run(backend, chat("x", Noise())))
    backend.unload()


def test_cuda_without_a_gpu_build(random_gguf: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktopapp.engine.backends.llama_cpp.loaded.list_gpus", list)
    with pytest.raises(BackendUnavailable):
        LlamaCppBackend().load(random_gguf, LoadOptions(device="cuda"), StepClock(), lambda *_: None)


def test_nothing_on_the_terminal(random_gguf: ModelFiles, capfd: pytest.CaptureFixture[str]) -> None:
    backend = load(random_gguf)
    run(backend, chat("x", Noise()))
    backend.unload()
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_log_goes_to_logging(random_gguf: ModelFiles, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "desktopapp.engine.llama_cpp"):
        load(random_gguf).unload()
    assert any("qwen3vl" in record.message for record in caplog.records)
