"""Every backend goes on from its own tokens as if it had never stopped, also behind a text that closes a thought."""

from __future__ import annotations

from desktopapp.engine.backend import Backend
from desktopapp.engine.prompt_parts import TextPart, TokensPart
from tests.contract.generation import ask, run
from tests.pictures import NoisePicture

PICTURE = NoisePicture(200, 380, seed=2)


def test_a_generation_goes_on_from_its_own_tokens(backend: Backend) -> None:
    prompt = ask(PICTURE, "What is it?")
    whole = run(backend, prompt, max_new_tokens=12)
    first = run(backend, prompt, max_new_tokens=5)
    rest = run(backend, [*prompt, TokensPart(tuple(first.tokens))], max_new_tokens=7)
    assert first.tokens + rest.tokens == whole.tokens
    assert rest.prompt_tokens == first.prompt_tokens + 5


def test_text_may_follow_them(backend: Backend) -> None:
    prompt = ask("Say something.")
    tokens = TokensPart(tuple(run(backend, prompt, max_new_tokens=6).tokens))
    closed = [*prompt, tokens, TextPart("\n</think>\n\n")]
    result = run(backend, closed, max_new_tokens=4)
    alone = run(backend, [TextPart("\n</think>\n\n")], max_new_tokens=1)
    assert (
        result.prompt_tokens == run(backend, prompt, max_new_tokens=1).prompt_tokens + 6 + alone.prompt_tokens
    )
    assert len(result.tokens) == 4


def test_only_the_closing_text_is_evaluated_where_prefixes_are_reused(backend: Backend) -> None:
    prompt = ask(PICTURE, "What is it?")
    tokens = TokensPart(tuple(run(backend, prompt, max_new_tokens=6).tokens))
    closed = [*prompt, tokens, TextPart("\n</think>\n\n")]
    cached = run(backend, closed, max_new_tokens=1).progress[-1].cached_tokens
    if backend.capabilities.reuses_prefix:
        assert cached >= run(backend, prompt, max_new_tokens=1).prompt_tokens + 5
    else:
        assert cached == 0
