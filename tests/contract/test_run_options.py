"""What a plan may choose for one generation, alike for every backend."""

from __future__ import annotations

import pytest

from desktopapp.engine.backend import Backend, RunOptions
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import ImagePart, PixelBudget, TextPart
from desktopapp.errors import PromptTooLong
from tests.contract.conftest import CONTEXT_TOKENS
from tests.contract.generation import ask, run
from tests.pictures import NoisePicture

PICTURE = NoisePicture(420, 260, seed=1)


def test_a_picture_is_shown_within_its_own_budget(backend: Backend) -> None:
    small = PixelBudget(min_pixels=32 * 32, max_pixels=20 * 32 * 32)
    prompt = [TextPart("<|im_start|>user\n"), ImagePart(PICTURE, small), ImagePart(PICTURE)]
    tokens = [image.tokens for image in run(backend, prompt, max_new_tokens=1).images]
    assert tokens == [5 * 3, 13 * 8]


def test_the_context_of_a_run_ends_prompt_and_answer(backend: Backend) -> None:
    prompt = ask(PICTURE, "?")
    length = run(backend, prompt, max_new_tokens=1).prompt_tokens
    result = run(backend, prompt, max_new_tokens=50, options=RunOptions(context_tokens=length + 3))
    assert (len(result.tokens), result.end.reason) == (3, FinishReason.LENGTH)
    with pytest.raises(PromptTooLong) as caught:
        run(backend, prompt, options=RunOptions(context_tokens=length))
    assert caught.value.values["limit"] == str(length)


def test_no_run_has_more_context_than_the_model(backend: Backend) -> None:
    with pytest.raises(PromptTooLong):
        run(backend, ask("x " * 4 * CONTEXT_TOKENS), options=RunOptions(context_tokens=10**6))


def test_a_small_chunk_gives_the_same_tokens(backend: Backend) -> None:
    prompt = ask(PICTURE, "What does it show, and how many of them are there?")
    whole = run(backend, prompt)
    cut = run(backend, prompt, options=RunOptions(prefill_chunk_tokens=7))
    assert cut.tokens == whole.tokens
