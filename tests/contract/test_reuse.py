"""What a backend that reuses prefixes does alike: the same answers as from the beginning, and less work."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from desktopapp.engine.backend import Backend, RunOptions
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.prompt_parts import ImagePart, ImageSource, PromptPart, TextPart
from tests.contract.conftest import REAL, Contender
from tests.contract.generation import ask, generate, run
from tests.pictures import NoisePicture

pytestmark = pytest.mark.parametrize("contender", REAL, indirect=True)

WIDE = NoisePicture(420, 260, seed=1)
TALL = NoisePicture(200, 380, seed=2)
LONG = "Tell me everything that you see, and everything that you do not see. " * 6


def answered(prompt: Sequence[PromptPart], answer: str, *content: str | ImageSource) -> list[PromptPart]:
    return [*prompt, TextPart(answer, False), TextPart("<|im_end|>\n"), *ask(*content)]


def afresh(contender: Contender, prompt: Sequence[PromptPart]) -> list[int]:
    backend, _ = contender.load()
    try:
        return run(backend, prompt).tokens
    finally:
        backend.unload()


def cached_tokens(backend: Backend, prompt: Sequence[PromptPart]) -> int:
    return run(backend, prompt, max_new_tokens=1).progress[-1].cached_tokens


def test_a_next_turn_evaluates_only_what_is_new(contender: Contender, backend: Backend) -> None:
    assert backend.capabilities.reuses_prefix
    first = ask(WIDE, LONG)
    read = run(backend, first)
    second = answered(first, read.data.decode(errors="replace"), TALL, "And this?")
    result = run(backend, second)
    assert result.progress[-1].cached_tokens >= read.prompt_tokens
    assert [image.index for image in result.images] == [0, 1]
    assert result.tokens == afresh(contender, second)


def test_an_edit_keeps_what_stands_before_it(contender: Contender, backend: Backend) -> None:
    first = ask(WIDE, LONG)
    length = run(backend, first).prompt_tokens
    run(backend, answered(first, "Nothing.", "Why?"))
    edited = answered(first, "Nothing.", "Why not?")
    result = run(backend, edited)
    assert result.progress[-1].cached_tokens > length
    assert result.tokens == afresh(contender, edited)


def test_another_picture_of_the_same_size_is_seen(contender: Contender, backend: Backend) -> None:
    run(backend, ask(WIDE, LONG))
    other = ask(NoisePicture(420, 260, seed=9), LONG)
    result = run(backend, other)
    assert result.progress[-1].cached_tokens < 10
    assert result.tokens == afresh(contender, other)


def test_a_conversation_that_left_comes_back(contender: Contender, backend: Backend) -> None:
    one, other = ask(WIDE, LONG), ask(TALL, LONG)
    length = run(backend, one).prompt_tokens
    run(backend, other)
    next_turn = answered(one, "No.", "Sure?")
    result = run(backend, next_turn)
    assert result.progress[-1].cached_tokens >= length - 1
    assert result.tokens == afresh(contender, next_turn)
    assert cached_tokens(backend, answered(other, "No.", "Sure?")) > length // 2


def test_what_was_cancelled_half_way_counts_as_far_as_it_went(contender: Contender, backend: Backend) -> None:
    prompt = ask(WIDE, LONG, TALL, "?")
    for stop_after in (1, 3, 6):
        cancel = CancelToken()
        steps = iter(generate(backend, prompt, max_new_tokens=30, cancel=cancel))
        for _ in range(stop_after):
            next(steps)
        cancel.cancel()
        with pytest.raises(Cancelled):
            list(steps)
        assert run(backend, prompt).tokens == afresh(contender, prompt)


def test_closed_while_writing_leaves_nothing_wrong_behind(contender: Contender, backend: Backend) -> None:
    prompt = ask(LONG)
    steps = generate(backend, prompt, max_new_tokens=30)
    for _ in range(8):
        next(iter(steps))
    steps.close()  # type: ignore[attr-defined]
    assert run(backend, prompt).tokens == afresh(contender, prompt)


def test_random_conversations_answer_as_from_the_beginning(contender: Contender, backend: Backend) -> None:
    chance = random.Random(4)
    pictures = [WIDE, TALL, NoisePicture(64, 64, seed=3)]
    prompt = ask("Begin.")
    for _ in range(6):
        content: list[str | ImageSource] = [chance.choice(pictures)] if chance.random() < 0.5 else []
        content.append(f"Question {chance.randrange(10)}?")
        if chance.random() < 0.3:
            prompt = ask(*content)
        else:
            prompt = answered(prompt, f"Answer {chance.randrange(3)}.", *content)
        assert run(backend, prompt).tokens == afresh(contender, prompt)


def test_chunks_do_not_matter_behind_a_prefix(contender: Contender, backend: Backend) -> None:
    first = ask(WIDE, LONG)
    second = answered(first, "Nothing.", TALL, "And this?")
    expected = afresh(contender, second)
    for chunk in (3, 50, 1000):
        run(backend, first, max_new_tokens=1)
        options = RunOptions(prefill_chunk_tokens=chunk)
        assert run(backend, second, options=options).tokens == expected


def test_a_picture_may_differ_in_size_only(contender: Contender, backend: Backend) -> None:
    run(backend, ask(WIDE, LONG))
    small = [TextPart("<|im_start|>user\n"), ImagePart(NoisePicture(300, 200, seed=1)), *ask(LONG)]
    assert run(backend, small).tokens == afresh(contender, small)


def test_what_shall_not_be_saved_never_comes_back(contender: Contender, backend: Backend) -> None:
    # Pictures that no other test showed: what that one left may well come back.
    one, other = (ask(NoisePicture(420, 260, seed=seed), LONG) for seed in (71, 72))
    run(backend, one)
    run(backend, other, options=RunOptions(saves_replaced=False))
    assert cached_tokens(backend, one) < 10
    assert cached_tokens(backend, other) > 10
