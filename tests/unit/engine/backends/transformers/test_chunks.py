"""A prompt's chunks: how long they may take, where Stop takes effect, and what of them goes through the head."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from types import SimpleNamespace

import pytest
import torch

from desktopapp.engine.backend import GenerationStep, PromptProgress
from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers import prefill as prefill_module
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prefill import Prefill
from desktopapp.engine.backends.transformers.prompt import encode_prompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_decoder import TextDecoder
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.prompt_parts import TokensPart
from desktopapp.engine.steps import StepClock

TOKENS = 700


class Reading:
    """One prompt of text, about to be read."""

    def __init__(self, model: LoadedNetwork) -> None:
        model.conversations.clear()
        prompt = encode_prompt(
            [TokensPart((97,) * TOKENS)], model.network.config, model.tokenizer, model.facts
        )
        pictures = PromptPictures(KnownPixels(), StepClock())
        self.cancel = CancelToken()
        self.sequence = model.conversations.continue_with(prompt, "16bit", pictures, self.cancel)
        self._prefill = Prefill(model, prompt, self.sequence, pictures, self.cancel, StepClock())

    def run(self, chunk_tokens: int) -> Generator[GenerationStep, None, torch.Tensor]:
        return self._prefill.run(chunk_tokens)

    def chunks(self, chunk_tokens: int) -> list[int]:
        steps = self.run(chunk_tokens)
        done = [step.done_tokens for step in steps if isinstance(step, PromptProgress)]
        return [end - start for start, end in itertools.pairwise(done)]


@pytest.mark.parametrize(
    ("token_s", "chunks"),
    [(0.001, [256, 256, 188]), (0.0035, [256, 128, 128, 128, 60]), (1.0, [256, 128, *[64] * 4, 60])],
)
def test_on_a_slow_card_a_chunk_becomes_as_short_as_half_a_second(
    network: LoadedNetwork, monkeypatch: pytest.MonkeyPatch, token_s: float, chunks: list[int]
) -> None:
    now_s = 0.0
    evaluate = TextSequence.evaluate

    def evaluate_slowly(sequence: TextSequence, token_ids: list[int], *rest: torch.Tensor) -> torch.Tensor:
        nonlocal now_s
        now_s += len(token_ids) * token_s
        return evaluate(sequence, token_ids, *rest)

    monkeypatch.setattr(TextSequence, "evaluate", evaluate_slowly)
    monkeypatch.setattr(prefill_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    monkeypatch.setattr(LoadedNetwork, "is_cuda", True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    assert Reading(network).chunks(256) == chunks


def test_stop_between_chunks_evaluates_no_other(network: LoadedNetwork) -> None:
    reading = Reading(network)
    steps = reading.run(64)
    for _ in range(3):  # what is cached, and two chunks
        next(steps)
    reading.cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert len(reading.sequence) == 128


def test_the_last_position_alone_goes_through_the_head(
    network: LoadedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    logits = TextDecoder.logits

    def count_rows(decoder: TextDecoder, hidden: torch.Tensor) -> torch.Tensor:
        rows.append(len(hidden))
        return logits(decoder, hidden)

    monkeypatch.setattr(TextDecoder, "logits", count_rows)
    assert Reading(network).chunks(500) == [500, 200]
    assert rows == [1, 1]
