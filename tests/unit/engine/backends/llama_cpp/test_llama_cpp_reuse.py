"""What was evaluated once is not evaluated again, and nobody can tell from the answer.

The model is in 32 bits, so that the likeliest token is never a matter of rounding.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktopapp.engine.backend import PromptProgress
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.prompt_parts import PromptPart
from tests.llama_cpp_runs import ask, forget, fresh, inside, run, then
from tests.pictures import NoisePicture


@dataclasses.dataclass(slots=True)
class FilePicture(NoisePicture):
    """A picture that knows its version, as files do."""

    def version(self) -> str | None:
        return f"{self.path} {self.seed}" if self.path else None


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
