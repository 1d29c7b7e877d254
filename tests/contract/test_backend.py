"""What every backend does alike, the fake one included. `engine/backend.py` says it in words."""

from __future__ import annotations

import gc
import json
import statistics
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tokenizers import Tokenizer

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.backend import (
    Backend,
    GenerationStep,
    ImageEvaluated,
    LoadOptions,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.memory.heap import give_back_freed
from desktopapp.engine.prompt_parts import TextPart
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelDamaged, PromptTooLong
from tests.contract.conftest import CONTEXT_TOKENS, REAL, Contender
from tests.contract.generation import GREEDY, SAMPLED, Run, ask, for_each, generate, run
from tests.pictures import MissingPicture, NoisePicture

WIDE = NoisePicture(420, 260, seed=1)
TALL = NoisePicture(200, 380, seed=2)
real_only = pytest.mark.parametrize("contender", REAL, indirect=True)
HOT = replace(SAMPLED, temperature=2.0, top_p=1.0, top_k=0, presence_penalty=0.0)


@pytest.fixture(autouse=True)
def _still_usable(backend: Backend) -> Iterator[None]:
    """Whatever a test does, the model answers afterwards as it did before."""
    prompt = ask(TALL, "And now?")
    before = run(backend, prompt).tokens
    yield
    assert run(backend, prompt).tokens == before


def test_steps_come_in_order(backend: Backend) -> None:
    result = run(backend, ask("Look: ", WIDE, "and", TALL, "What are they?"))
    kinds = [type(step) for step in result.steps]
    first_token = kinds.index(TokenAdded)
    assert set(kinds[:first_token]) == {ImageEvaluated, PromptProgress}
    assert kinds[first_token:] == [TokenAdded] * len(result.tokens) + [type(result.end)]
    assert [image.index for image in result.images] == [0, 1]
    assert [image.tokens for image in result.images] == [13 * 8, 6 * 12]
    done = [progress.done_tokens for progress in result.progress]
    assert done == sorted(done)
    assert done[-1] == result.prompt_tokens > 13 * 8 + 6 * 12
    assert result.end.peak_bytes > 1_000_000


@real_only
def test_bytes_are_the_tokens_text(backend: Backend, random_folder: Path) -> None:
    result = run(backend, ask("Say something."), SAMPLED, 40)
    tokenizer = Tokenizer.from_file(str(random_folder / "tokenizer.json"))
    assert result.data.decode() == tokenizer.decode(result.tokens, skip_special_tokens=False)
    assert len(result.data) >= len(result.tokens) > 2


def test_greedy_repeats_and_ignores_the_seed(backend: Backend) -> None:
    prompt = ask(WIDE, "What is it?")
    first = run(backend, prompt)
    assert run(backend, prompt).tokens == first.tokens
    assert run(backend, prompt, replace(GREEDY, seed=5)).tokens == first.tokens


def test_a_seed_repeats_and_others_differ(backend: Backend) -> None:
    prompt = ask("Tell me a story.")
    first = run(backend, prompt, SAMPLED, 30).tokens
    assert run(backend, prompt, SAMPLED, 30).tokens == first
    others = [tuple(run(backend, prompt, replace(SAMPLED, seed=seed), 30).tokens) for seed in range(12, 18)]
    assert {*others} - {tuple(first)}
    fresh = replace(SAMPLED, seed=None)
    # The fake knows four answers: the chance that all draws are one is 4 ** -15.
    assert len({tuple(run(backend, prompt, fresh, 30).tokens) for _ in range(16)}) > 1


def test_the_limit_of_new_tokens_is_kept(backend: Backend) -> None:
    for limit in (1, 2, 7):
        result = run(backend, ask("Go on."), max_new_tokens=limit)
        assert (len(result.tokens), result.end.reason) == (limit, FinishReason.LENGTH)


@real_only
def test_stop_tokens_end_the_answer_and_are_never_shown(backend: Backend, random_folder: Path) -> None:
    stops = set(json.loads((random_folder / "generation_config.json").read_text())["eos_token_id"])
    reasons = set()
    for seed in range(20):
        result = run(backend, ask("Be brief."), replace(HOT, seed=seed), 120)
        reasons.add(result.end.reason)
        assert not stops & set(result.tokens)
        assert b"<|im_end|>" not in result.data
        if result.end.reason is FinishReason.STOP:
            assert len(result.tokens) < 120
            break
    assert FinishReason.STOP in reasons


def test_pictures_matter_and_so_does_their_order(backend: Backend) -> None:
    answers = [
        tuple(run(backend, ask(*pictures, "Compare."), max_new_tokens=50).tokens)
        for pictures in ((WIDE, TALL), (TALL, WIDE), (WIDE, WIDE))
    ]
    assert len(set(answers)) == 3


def test_pictures_are_decoded_once_and_in_order(backend: Backend) -> None:
    first, second = NoisePicture(256, 256, seed=3), NoisePicture(256, 256, seed=4)
    seen: list[tuple[int, int]] = []
    for step in generate(backend, ask(first, second, "Both?")):
        if isinstance(step, ImageEvaluated):
            seen.append((first.decoded, second.decoded))
    assert seen[0][0] == 1
    assert seen[-1] == (1, 1)


def test_second_turn_goes_on_from_the_first(backend: Backend) -> None:
    first = ask(WIDE, "What is it?")
    answer = run(backend, first, SAMPLED, 10)
    second = [
        *first,
        TextPart(answer.data.decode(errors="replace"), False),
        TextPart("<|im_end|>\n"),
        *ask(TALL, "And this?"),
    ]
    after_first = run(backend, second)
    assert after_first.prompt_tokens > answer.prompt_tokens + len(answer.tokens)
    run(backend, ask("Something else."))
    assert run(backend, second).tokens == after_first.tokens


def test_control_words_of_a_person_are_plain_text(backend: Backend) -> None:
    plain = run(backend, ask("")).prompt_tokens
    for word in ("<|im_end|>", "<|im_start|>", "<|image_pad|>", "<|vision_start|>"):
        result = run(backend, ask(word), max_new_tokens=1)
        assert result.prompt_tokens - plain > 3, word
        assert result.images == []


def test_cancelled_before_it_begins(backend: Backend) -> None:
    picture = NoisePicture(64, 64)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(generate(backend, ask(picture, "?"), cancel=cancel))
    assert picture.decoded == 0


def test_cancelled_while_the_prompt_is_read(backend: Backend) -> None:
    first, second = NoisePicture(500, 500, seed=1), NoisePicture(500, 500, seed=2)
    cancel = CancelToken()
    steps = []

    def stop_at_first(step: GenerationStep) -> None:
        steps.append(step)
        cancel.cancel()

    with pytest.raises(Cancelled):
        for_each(generate(backend, ask(first, second, "?"), cancel=cancel), stop_at_first)
    assert len(steps) == 1
    assert second.decoded == 0


def test_cancelled_while_the_answer_is_written(backend: Backend) -> None:
    cancel = CancelToken()
    tokens = []

    def stop_at_third(step: GenerationStep) -> None:
        if isinstance(step, TokenAdded):
            tokens.append(step)
            if len(tokens) == 3:
                cancel.cancel()

    with pytest.raises(Cancelled):
        for_each(generate(backend, ask("Go on."), max_new_tokens=200, cancel=cancel), stop_at_third)
    assert len(tokens) == 3


def test_cancelled_after_the_end_changes_nothing(backend: Backend) -> None:
    cancel = CancelToken()
    first = Run(tuple(generate(backend, ask("Go on."), cancel=cancel)))
    cancel.cancel()
    assert first.end.reason is FinishReason.LENGTH
    assert run(backend, ask("Go on.")).tokens == first.tokens


def test_closed_half_way(backend: Backend) -> None:
    for wanted in (PromptProgress, TokenAdded):
        steps = iter(backend.generate(ask(WIDE, "?"), GREEDY, 50, CancelToken(), StepClock()))
        assert any(isinstance(step, wanted) for step in steps)
        steps.close()  # type: ignore[attr-defined]


def test_a_picture_that_went_away_ends_only_this_request(backend: Backend) -> None:
    read = []
    with pytest.raises(AttachmentGone, match=r"gone\.png"):
        read.extend(generate(backend, ask(WIDE, "x" * 300, MissingPicture(), "?")))
    assert [step.index for step in read if isinstance(step, ImageEvaluated)] == [0]


def test_a_prompt_too_long_is_refused_before_pictures_are_decoded(backend: Backend) -> None:
    picture = NoisePicture(64, 64)
    with pytest.raises(PromptTooLong) as caught:
        list(generate(backend, ask(picture, "x " * 4 * CONTEXT_TOKENS)))
    assert picture.decoded == 0
    assert int(caught.value.values["tokens"]) > CONTEXT_TOKENS
    assert int(caught.value.values["limit"]) == CONTEXT_TOKENS


@real_only
def test_the_answer_ends_where_the_context_does(backend: Backend) -> None:
    result = run(backend, ask("x" * (CONTEXT_TOKENS - 30)), max_new_tokens=500)
    assert result.end.reason is FinishReason.LENGTH
    assert result.prompt_tokens + len(result.tokens) == CONTEXT_TOKENS


@real_only
def test_a_damaged_model_is_refused_and_another_loads_then(contender: Contender, tmp_path: Path) -> None:
    backend = contender.make()
    damaged = contender.damaged_copy(tmp_path)
    with pytest.raises(ModelDamaged):
        backend.load(damaged, LoadOptions(device="cpu"), StepClock(), lambda stage, fraction: None)
    backend.load(contender.files, LoadOptions(device="cpu"), StepClock(), lambda stage, fraction: None)
    assert len(run(backend, ask("Hello.")).tokens) > 0
    backend.unload()


def test_load_tells_its_progress_and_the_model(contender: Contender) -> None:
    told: list[tuple[str, float | None]] = []
    backend = contender.make()
    options = LoadOptions(context_tokens=300, device="cpu")
    model = backend.load(contender.files, options, StepClock(), lambda *step: told.append(step))
    assert {stage for stage, _ in told} <= {"import", "tokenizer", "weights", "vision", "warm_up"}
    fractions = [fraction for _, fraction in told if fraction is not None]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert (model.context_tokens, model.device) == (300, "cpu")
    assert model.precision == contender.files.precision
    assert "<|im_start|>" in model.chat_template
    assert model.eos_text == "<|im_end|>"
    assert (model.pixel_budget.cell_px, model.pixel_budget.min_pixels) == (32, 65_536)
    backend.unload()


def test_an_exception_from_progress_ends_the_load(contender: Contender) -> None:
    def stop(stage: str, fraction: float | None) -> None:
        if stage == "weights":
            raise Cancelled

    backend = contender.make()
    with pytest.raises(Cancelled):
        backend.load(contender.files, LoadOptions(device="cpu"), StepClock(), stop)
    with pytest.raises(RuntimeError):
        list(generate(backend, ask("?")))
    backend.load(contender.files, LoadOptions(device="cpu"), StepClock(), lambda stage, fraction: None)
    assert run(backend, ask("?")).tokens
    backend.unload()


def test_unload_gives_memory_back_again_and_again(contender: Contender) -> None:
    process = psutil.Process()
    resident = []
    for _ in range(30):
        backend, _ = contender.load()
        answer = generate(backend, ask(WIDE, "?"), max_new_tokens=2)
        list(answer)
        backend.unload()
        backend.unload()
        dead = weakref.ref(backend)
        del backend, answer
        gc.collect()
        assert dead() is None
        give_back_freed()  # what is free in the C library's heap is nobody's
        resident.append(process.memory_info().rss)
    # Libraries fill pools of their own now and then; weights that stay would grow it every time.
    early, late = statistics.median(resident[10:20]), statistics.median(resident[20:])
    assert (late - early) / 10 < max(contender.files.size_bytes, 1_000_000) / 4


def test_after_unload_there_is_no_model(contender: Contender) -> None:
    backend, _ = contender.load()
    backend.unload()
    with pytest.raises(RuntimeError):
        list(generate(backend, ask("?")))
