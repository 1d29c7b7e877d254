"""Conversations that alternate are both kept, within memory."""

from __future__ import annotations

import pytest

from desktopapp.engine.backends.llama_cpp import LlamaCppBackend, context, saved_states
from desktopapp.errors import OutOfMemory, UnexpectedError
from tests.llama_cpp_runs import ask, forget, fresh, inside, run, then
from tests.pictures import NoisePicture


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
