"""What was evaluated once is not evaluated again, and nobody can tell from the answer.

The model is in 32 bits, so that the likeliest token is never a matter of rounding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from desktopapp.engine.backend import (
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    ImagePart,
    LoadOptions,
    PromptPart,
    PromptProgress,
    TextPart,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend, context, saved_states
from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.errors import AttachmentGone, BackendUnavailable, OutOfMemory, UnexpectedError, UsageError
from desktopapp.modelstore.model import ModelFiles
from tests.pictures import NoisePicture

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)


@dataclasses.dataclass(slots=True)
class FilePicture(NoisePicture):
    """A picture that knows its version, as files do."""

    def version(self) -> str | None:
        return f"{self.path} {self.seed}" if self.path else None


def load(files: ModelFiles, **options: Any) -> LlamaCppBackend:
    backend = LlamaCppBackend()
    backend.load(files, LoadOptions(device="cpu", **options), StepClock(), lambda *_: None)
    return backend


def inside(backend: LlamaCppBackend) -> LoadedGguf:
    assert backend._loaded is not None
    return backend._loaded


def forget(backend: LlamaCppBackend) -> None:
    inside(backend).context.cut(0)
    inside(backend).saved.clear()


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


def ask(*content: str | NoisePicture) -> list[PromptPart]:
    parts: list[PromptPart] = [TextPart("<|im_start|>user\n")]
    parts += [TextPart(item, False) if isinstance(item, str) else ImagePart(item) for item in content]
    return [*parts, TextPart("<|im_end|>\n<|im_start|>assistant\n")]


def then(turn: Sequence[PromptPart], answer: str, *content: str | NoisePicture) -> list[PromptPart]:
    return [*turn, TextPart(answer, False), TextPart("<|im_end|>\n"), *ask(*content)]


@dataclasses.dataclass(frozen=True)
class Run:
    steps: tuple[GenerationStep, ...]

    @property
    def tokens(self) -> list[int]:
        return [step.token_id for step in self.steps if isinstance(step, TokenAdded)]

    @property
    def text(self) -> str:
        return b"".join(step.data for step in self.steps if isinstance(step, TokenAdded)).decode(
            "utf-8", "replace"
        )

    @property
    def images(self) -> list[int]:
        return [step.index for step in self.steps if isinstance(step, ImageEvaluated)]

    @property
    def progress(self) -> PromptProgress:
        """The last one."""
        return [step for step in self.steps if isinstance(step, PromptProgress)][-1]

    @property
    def cached(self) -> int:
        return self.progress.cached_tokens


def run(
    backend: LlamaCppBackend,
    prompt: Sequence[PromptPart],
    most: int = 12,
    sampling: SamplingParameters = GREEDY,
    cancel: CancelToken | None = None,
) -> Run:
    return Run(tuple(backend.generate(prompt, sampling, most, cancel or CancelToken(), StepClock())))


def fresh(reference: LlamaCppBackend, prompt: Sequence[PromptPart], most: int = 12) -> list[int]:
    forget(reference)
    result = run(reference, prompt, most)
    assert result.cached == 0
    return result.tokens


def test_second_turn_is_read_from_where_it_begins(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    picture = NoisePicture(300, 200)
    first = ask(picture, "What is it?")
    begun = run(backend, first)
    second = then(first, begun.text, "And now?")
    again = run(backend, second)
    # The whole first prompt; of the answer, how much depends on how its text is tokenised.
    assert again.cached >= begun.progress.total_tokens
    assert again.progress.done_tokens == again.progress.total_tokens
    assert again.images == [0]
    assert again.tokens == fresh(reference, second)


def test_the_same_prompt_again_costs_one_token(backend: LlamaCppBackend) -> None:
    prompt = ask(NoisePicture(300, 200), "What is it?")
    first = run(backend, prompt)
    again = run(backend, prompt)
    assert (first.cached, again.cached) == (0, again.progress.total_tokens - 1)
    assert again.tokens == first.tokens


def test_every_step_tells_how_much_was_cached(backend: LlamaCppBackend) -> None:
    prompt = ask("x" * 50)
    run(backend, prompt)
    steps = run(backend, then(prompt, "yes", NoisePicture(300, 200), "And?")).steps
    progress = [step for step in steps if isinstance(step, PromptProgress)]
    assert len({step.cached_tokens for step in progress}) == 1
    assert progress[0].done_tokens == progress[0].cached_tokens > 50


def test_another_picture_in_the_same_place(backend: LlamaCppBackend, reference: LlamaCppBackend) -> None:
    """Same size, same words: only the pixels tell them apart."""
    for seed in (1, 2, 1):
        prompt = ask("Look at this: ", NoisePicture(300, 200, seed), "What is it?")
        result = run(backend, prompt, 30)
        assert result.tokens == fresh(reference, prompt, 30)
        assert result.cached < 30


def test_the_cut_is_before_a_picture_s_opening_token(backend: LlamaCppBackend) -> None:
    run(backend, ask("Look", NoisePicture(300, 200, 1)))
    kept = run(backend, ask("Look", NoisePicture(300, 200, 2))).cached
    assert kept == run(backend, ask("Look", "!")).cached


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (40, 900), (900, 40), (256, 256)])
def test_positions_behind_a_picture(
    backend: LlamaCppBackend, reference: LlamaCppBackend, shape: tuple[int, int]
) -> None:
    """A picture takes more cells than positions; text that is cut off right behind it tells whether both are right."""
    picture = NoisePicture(*shape)
    run(backend, ask(picture, "One thing."))
    other = ask(picture, "Quite another thing.")
    result = run(backend, other, 30)
    sequence = inside(backend).context.sequence
    assert sequence.cells > sequence.position
    assert result.cached > 50
    assert result.tokens == fresh(reference, other, 30)


def test_a_kept_picture_with_a_known_version_is_not_decoded(backend: LlamaCppBackend) -> None:
    picture = FilePicture(300, 200, path="versioned.png")
    prompt = ask(picture, "What is it?")
    run(backend, prompt)
    result = run(backend, then(prompt, "A cat.", "And now?"))
    assert picture.decoded == 1
    assert result.images == [0]
    picture.seed = 9
    changed = run(backend, prompt)
    assert picture.decoded == 2
    assert changed.cached < 20


def test_a_picture_of_unknown_version_is_known_by_its_pixels(backend: LlamaCppBackend) -> None:
    picture = FilePicture(300, 200, path="")
    prompt = ask(picture, "What is it?")
    run(backend, prompt)
    assert run(backend, then(prompt, "A cat.", "And now?")).cached > 70
    assert picture.decoded == 2


def test_a_version_at_another_size_is_another_picture(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    picture = FilePicture(300, 200, path="resized.png")
    run(backend, ask(picture, "?"))
    picture.width, picture.height = 200, 300
    prompt = ask(picture, "?")
    assert run(backend, prompt).tokens == fresh(reference, prompt)


def test_conversations_that_alternate_are_both_kept(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    one = ask(NoisePicture(500, 500, 1), "x" * 300)
    two = ask(NoisePicture(500, 400, 2), "y" * 300)
    run(backend, one)
    run(backend, two)
    for prompt in (then(one, "a", "More?"), then(two, "b", "More?"), then(one, "a", "Else?")):
        result = run(backend, prompt, 30)
        assert result.cached > 500
        assert result.tokens == fresh(reference, prompt, 30)


def test_saved_conversations_are_bounded(backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [ask(f"{number} " + "x" * 400) for number in range(4)]
    run(backend, prompts[0])
    one_state = inside(backend).context.state_bytes
    monkeypatch.setattr(saved_states, "LARGEST_BYTES", int(one_state * 2.5))
    for prompt in prompts[1:]:
        run(backend, prompt)
    assert len(inside(backend).saved.states) == 2
    assert run(backend, prompts[1]).cached > 400
    assert run(backend, prompts[0]).cached < 20
    forget(backend)
    monkeypatch.setattr(saved_states, "LARGEST_BYTES", one_state // 2)
    run(backend, prompts[2])
    run(backend, prompts[3])
    assert run(backend, prompts[2]).cached < 20


def test_a_conversation_that_shares_little_stays_saved(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    one, two = ask("same" * 50 + "x" * 400), ask("y" * 400)
    run(backend, one)
    run(backend, two)
    shares = ask("same" * 50 + "z" * 30)
    result = run(backend, shares)
    assert result.tokens == fresh(reference, shares)
    assert result.cached > 50
    for prompt in (two, one):
        again = run(backend, prompt)
        assert again.cached > 350
        assert again.tokens == fresh(reference, prompt)


def test_a_state_that_cannot_be_put_back(backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = ask("x" * 400), ask("y" * 400)
    expected = run(backend, one).tokens
    run(backend, two)
    monkeypatch.setattr(context.llama, "llama_state_seq_set_data", lambda *_: 0)
    with pytest.raises(UnexpectedError):
        run(backend, one)
    assert run(backend, one).tokens == expected


def test_saved_conversations_give_way_to_the_one_that_grows(
    backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(backend, ask("x" * 400))
    run(backend, ask("y" * 400))
    assert inside(backend).saved.states
    calls = []

    def refuse_once(self: context.TextContext, cells: int) -> None:
        calls.append(cells)
        if len(calls) == 1:
            raise OutOfMemory(what="making room", detail="")

    monkeypatch.setattr(context.TextContext, "ensure", refuse_once)
    inside(backend).make_room(9000)
    assert calls == [9000, 9000]
    assert inside(backend).saved.states == ()


class Stop(CancelToken):
    """Stops at the given look at it."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_stopped_anywhere_then_answered(
    backend: LlamaCppBackend, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(context, "BATCH_TOKENS", 32)
    monkeypatch.setattr("desktopapp.engine.backends.llama_cpp.generation.BATCH_TOKENS", 32)
    first = ask(NoisePicture(300, 200, 1), "What is it?")
    run(backend, first)
    second = then(
        first, "This.", "x" * 70, NoisePicture(500, 500, 2), "y" * 70, NoisePicture(300, 300, 3), "?"
    )
    with pytest.raises(Cancelled):
        run(backend, second, 60, cancel=Stop(at))
    result = run(backend, second)
    assert result.cached >= 70
    assert result.tokens == fresh(reference, second)


@pytest.mark.parametrize("looks", [1, 40])
def test_stopped_within_one_evaluation(
    backend: LlamaCppBackend, reference: LlamaCppBackend, looks: int
) -> None:
    """On the CPU Stop need not wait for the end of a batch."""

    class Late(CancelToken):
        asked = 0

        @property
        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > looks

        def raise_if_cancelled(self) -> None:
            pass

    first = ask(NoisePicture(300, 200), "What is it?")
    run(backend, first)
    second = then(first, "This.", "x" * 200, "?")
    with pytest.raises(Cancelled):
        run(backend, second, cancel=Late())
    result = run(backend, second)
    assert 70 < result.cached < 150
    assert result.tokens == fresh(reference, second)


def test_a_picture_that_fails_keeps_what_came_before(
    backend: LlamaCppBackend, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(NoisePicture):
        def decode(self) -> NDArray[np.uint8]:
            raise AttachmentGone(name="gone.png")

    first = ask(NoisePicture(300, 200), "What is it?")
    with pytest.raises(AttachmentGone):
        run(backend, then(first, "This.", Gone(300, 200), "And?"))
    second = then(first, "This.", NoisePicture(300, 200, 5), "And?")
    assert run(backend, second).cached > 80
    monkeypatch.setattr(context.mtmd, "mtmd_helper_decode_image_chunk", lambda *_: 1)
    third = then(first, "This.", NoisePicture(300, 200, 6), "And?")
    with pytest.raises(UnexpectedError):
        run(backend, third)
    monkeypatch.undo()
    assert run(backend, third).tokens == fresh(reference, third)


def test_a_decode_that_fails_keeps_what_came_before(
    backend: LlamaCppBackend, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(NoisePicture(300, 200), "What is it?")
    run(backend, first)
    second = then(first, "This.", "And?")
    monkeypatch.setattr(context.llama, "llama_decode", lambda *_: 2)
    with pytest.raises(UnexpectedError):
        run(backend, second)
    monkeypatch.undo()
    result = run(backend, second)
    assert result.cached > 70
    assert result.tokens == fresh(reference, second)


@pytest.mark.parametrize("batch", [1, 7, 64, 512])
def test_every_batch_size_gives_the_same_tokens(
    random_gguf: ModelFiles, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    first = ask(NoisePicture(300, 200), "x" * 100)
    second = then(first, "This.", NoisePicture(200, 300, 2), "And?")
    expected = fresh(reference, first), fresh(reference, second)
    monkeypatch.setattr(context, "BATCH_TOKENS", batch)
    monkeypatch.setattr("desktopapp.engine.backends.llama_cpp.generation.BATCH_TOKENS", batch)
    other = load(random_gguf)
    assert (run(other, first).tokens, run(other, second).tokens) == expected
    other.unload()


PICTURES = [NoisePicture(300, 200, 1), NoisePicture(200, 300, 2), NoisePicture(300, 200, 3)]
TURN = st.tuples(
    st.sampled_from(["Look.", "Why?", "And this, \U0001f642?"]), st.sampled_from([None, 0, 1, 2])
)
CHANGE = st.tuples(
    st.sampled_from(["go on", "edit", "drop a picture", "add a picture", "remove a turn"]), TURN
)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(CHANGE, min_size=20, max_size=20), data=st.data())
def test_a_long_conversation_equals_fresh_runs(
    backend: LlamaCppBackend, reference: LlamaCppBackend, changes: list[Any], data: st.DataObject
) -> None:
    """Twenty turns that edit, drop and add pictures anywhere: each answer is that of a fresh run."""
    forget(backend)
    turns: list[tuple[str, int | None]] = []
    for action, turn in changes:
        place = data.draw(st.integers(0, max(0, len(turns) - 1)))
        if action == "go on" or not turns:
            turns.append(turn)
        elif action == "edit":
            turns[place] = turn
        elif action == "drop a picture":
            turns[place] = (turns[place][0], None)
        elif action == "add a picture":
            turns[place] = (turns[place][0], turn[1] or 0)
        elif len(turns) > 1:
            del turns[place]
        prompt: list[PromptPart] = []
        for text, picture in turns:
            content = [text] if picture is None else [PICTURES[picture], text]
            prompt = then(prompt, "Yes.", *content) if prompt else ask(*content)
        assert run(backend, prompt, 6).tokens == fresh(reference, prompt, 6)


def test_a_full_context_ends_the_answer_and_keeps_it(random_gguf: ModelFiles) -> None:
    backend = load(random_gguf, context_tokens=128)
    prompt = ask("x" * 60)
    steps = run(backend, prompt, 500, dataclasses.replace(GREEDY, presence_penalty=1000.0))
    ended = steps.steps[-1]
    assert isinstance(ended, GenerationEnded)
    assert ended.reason in (FinishReason.LENGTH, FinishReason.STOP)
    assert steps.tokens
    assert run(backend, prompt, 3).cached == steps.progress.total_tokens - 1
    backend.unload()


@pytest.mark.parametrize("kv_type", ["f32", "f16", "q8_0", "q4_0"])
def test_kv_types(random_gguf: ModelFiles, kv_type: str) -> None:
    backend = load(random_gguf, kv_type=kv_type)
    first = ask(NoisePicture(300, 200), "What is it?")
    second = then(first, "This.", "x" * 100)
    run(backend, first)
    size = inside(backend).context.state_bytes / inside(backend).context.cells_used
    reused = run(backend, second)
    forget(backend)
    assert reused.cached > 70
    assert run(backend, second).tokens == reused.tokens
    # Four layers of one KV head with 128 numbers, keys and values.
    values = 4 * 2 * 128
    wanted = {"f32": 4, "f16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32}[kv_type] * values
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


def test_min_p_leaves_the_likeliest(backend: LlamaCppBackend) -> None:
    prompt = ask("Tell me")
    greedy = run(backend, prompt).tokens
    hot = SamplingParameters(temperature=2.0, top_p=1.0, top_k=0, presence_penalty=0.0, seed=1)
    assert run(backend, prompt, sampling=hot).tokens != greedy
    assert run(backend, prompt, sampling=dataclasses.replace(hot, min_p=1.0)).tokens == greedy


def test_an_answer_follows_a_grammar(backend: LlamaCppBackend) -> None:
    recipe = dataclasses.replace(GREEDY, grammar='root ::= "[" ("1" | "2") "]"')
    result = run(backend, ask("Tell me"), 20, recipe)
    assert result.text in ("[1]", "[2]")
    ended = result.steps[-1]
    assert isinstance(ended, GenerationEnded)
    assert ended.reason is FinishReason.STOP
    with pytest.raises(UsageError, match="grammar"):
        run(backend, ask("Tell me"), 20, dataclasses.replace(GREEDY, grammar="root ::= ("))
