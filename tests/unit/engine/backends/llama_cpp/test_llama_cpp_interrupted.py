"""Whatever stops or fails midway leaves the cache as it was: the next answer is that of a fresh run."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.backend import RunOptions
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend, context, prompt
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.errors import UnexpectedError
from tests.llama_cpp_runs import ask, fresh, inside, run, then
from tests.pictures import NoisePicture


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
    backend: LlamaCppBackend, reference: LlamaCppBackend, at: int
) -> None:
    options = RunOptions(prefill_chunk_tokens=32)
    first = ask(NoisePicture(300, 200, 1), "What is it?")
    run(backend, first, options=options)
    second = then(
        first, "This.", "x" * 70, NoisePicture(500, 500, 2), "y" * 70, NoisePicture(300, 300, 3), "?"
    )
    with pytest.raises(Cancelled):
        run(backend, second, 60, cancel=Stop(at), options=options)
    result = run(backend, second, options=options)
    assert result.cached >= 70
    # In batches of the same size: others round otherwise.
    assert result.tokens == fresh(reference, second, options=options)


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


@pytest.mark.parametrize("looks", [1, 3])
def test_stopped_within_the_vision_tower(
    backend: LlamaCppBackend, reference: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """Stop need not wait for a picture's end, and nothing of it is used."""
    encode = prompt.mtmd.mtmd_encode_chunk
    encoding = False

    class Late(CancelToken):
        asked = 0

        @property
        def cancelled(self) -> bool:
            self.asked += encoding
            return self.asked > looks

        def raise_if_cancelled(self) -> None:
            if self.asked > looks:
                raise Cancelled

    def watched(*arguments: object) -> int:
        nonlocal encoding
        encoding = True
        code: int = encode(*arguments)
        encoding = False
        return code

    first = ask(NoisePicture(300, 200, 1), "What is it?")
    run(backend, first)
    second = then(first, "This.", NoisePicture(512, 512, 2), "?")
    monkeypatch.setattr(prompt.mtmd, "mtmd_encode_chunk", watched)
    whole, stopped = Late(), Late()
    whole.asked = -(10**6)
    run(backend, second, 1, cancel=whole)
    inside(backend).context.cut(0)
    with pytest.raises(Cancelled):
        run(backend, second, cancel=stopped)
    assert stopped.asked < (whole.asked + 10**6) / 4
    monkeypatch.undo()
    assert run(backend, second).tokens == fresh(reference, second)
