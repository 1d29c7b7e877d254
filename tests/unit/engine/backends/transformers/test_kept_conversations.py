"""Conversations that leave the KV cache and come back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from desktopapp.engine.backends.transformers import conversations as conversations_module
from desktopapp.engine.backends.transformers.conversations import Conversations
from desktopapp.engine.backends.transformers.kv_cache import KvCache
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prefill import Prefill
from desktopapp.engine.backends.transformers.prompt import encode_prompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_decoder import TextDecoder
from desktopapp.engine.backends.transformers.text_ops import TorchOps
from desktopapp.engine.backends.transformers.text_sequence import TextSequence
from desktopapp.engine.backends.transformers.text_weights import read_text_weights
from desktopapp.engine.backends.transformers.weight_placing import WeightHome
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, VideoPart
from desktopapp.engine.steps import StepClock
from tests.pictures import NoisePicture, NoiseVideo

WORDS = "One two three four five six seven eight nine ten. " * 12


class Reader:
    """Reads prompts into one set of conversations, and says how much was there."""

    def __init__(self, model: LoadedNetwork) -> None:
        self.model = model
        model.conversations.clear()

    def read(self, *parts: PromptPart, kv_type: str = "16bit") -> int:
        model, cancel = self.model, CancelToken()
        prompt = encode_prompt(parts, model.network.config, model.tokenizer, model.facts)
        pictures = PromptPictures(model.conversations.known_pixels, StepClock())
        sequence = model.conversations.continue_with(prompt, kv_type, pictures, cancel)
        cached = len(sequence)
        for _ in Prefill(model, prompt, sequence, pictures, cancel, StepClock()).run(128):
            pass
        assert list(sequence.contents.token_ids) == prompt.token_ids
        assert sequence.cache.tokens == len(prompt.token_ids)
        return cached


@pytest.fixture
def reader(network: LoadedNetwork) -> Iterator[Reader]:
    yield Reader(network)
    network.conversations.clear()


def text(words: str) -> TextPart:
    return TextPart(words + WORDS, False)


def test_several_conversations_wait(reader: Reader) -> None:
    openings = [text(f"{number}. Conversation, quite its own") for number in range(4)]
    lengths = []
    for opening in openings:
        reader.read(opening)
        lengths.append(len(reader.model.conversations.live()))
    for opening, length in zip(openings, lengths, strict=True):
        assert reader.read(opening, TextPart(" Go on.", False)) >= length - 1


def test_nothing_waits_where_memory_is_short(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations_module, "LARGEST_BYTES", 1000)
    reader.read(text("First"))
    reader.read(text("Second"))
    assert reader.read(text("First")) < 10


def test_the_oldest_gives_way(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    reader.read(text("A"))
    live = reader.model.conversations.live()
    one = live.cache.allocated_bytes
    monkeypatch.setattr(conversations_module, "LARGEST_BYTES", int(2.5 * one))
    for name in "BCD":
        reader.read(text(name))
    assert reader.read(text("B")) > 100
    monkeypatch.undo()
    assert reader.read(text("A")) < 10


def test_another_kv_type_begins_anew(reader: Reader) -> None:
    reader.read(text("First"))
    assert reader.read(text("First"), kv_type="int8") == 0
    assert reader.read(text("First"), kv_type="int8") > 100


def test_a_copy_stays_of_what_is_gone_on_with_from_its_beginning(reader: Reader) -> None:
    long = [text("First"), *[TextPart(f" {number} {WORDS}", False) for number in range(3)]]
    reader.read(*long)
    length = len(reader.model.conversations.live())
    reader.read(text("Second"))
    assert 0 < reader.read(long[0], TextPart(" Another way.", False)) < length // 2
    assert reader.read(*long) >= length - 1


@dataclass(slots=True)
class Versioned(NoisePicture):
    def version(self) -> str | None:
        return f"version {self.seed}"


@dataclass(slots=True)
class VersionedVideo(NoiseVideo):
    def version(self) -> str | None:
        return f"version {self.seed}"


def test_known_pictures_and_videos_are_not_decoded_again(reader: Reader) -> None:
    picture, video = Versioned(256, 256, seed=1), VersionedVideo(96, 64, (0.0, 0.5, 1.0), seed=2)
    parts = [text("Look"), ImagePart(picture), VideoPart(video), text("What?")]
    reader.read(*parts)
    cached = reader.read(*parts, TextPart("And?", False))
    assert cached > 300
    assert picture.decoded == 1
    assert set(video.decoded.values()) == {1}


def test_unversioned_pictures_are_compared_by_their_pixels(reader: Reader) -> None:
    parts = [text("Look"), ImagePart(NoisePicture(256, 256, seed=1)), text("What?")]
    reader.read(*parts)
    length = len(reader.model.conversations.live())
    again = [parts[0], ImagePart(NoisePicture(256, 256, seed=1)), parts[2]]
    assert reader.read(*again) == length - 1
    changed = [parts[0], ImagePart(NoisePicture(256, 256, seed=5)), parts[2]]
    assert reader.read(*changed) < length - 64


def test_a_load_does_not_fail_for_lack_of_memory_to_warm_up(
    network: LoadedNetwork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def run_out(self: TextSequence, chunk_tokens: int) -> None:
        raise torch.OutOfMemoryError("no room to warm up")

    monkeypatch.setattr(TextSequence, "warm_up_chunks", run_out)
    with caplog.at_level(logging.INFO):
        network.conversations.warm_up(1, 2048)
    assert "no room to warm up" in caplog.text


def test_a_machine_without_graphs_goes_on_plainly(
    network: LoadedNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    weights = read_text_weights(network.network, WeightHome(torch.device("cpu"), torch.float32, joins=False))

    class NoGraph:
        def begin(self, position: int) -> None:
            raise RuntimeError("no graphs here")

    def make_sequence(kv_type: str) -> TextSequence:
        shape = weights.shape
        sizes = len(weights.layers), shape.kv_heads, shape.head_dim
        cache = KvCache(*sizes, kv_type, torch.device("cpu"), torch.float32, 256)
        graph: Any = NoGraph()
        return TextSequence(TextDecoder(weights, TorchOps()), cache, graph)

    conversations = Conversations(make_sequence, "16bit")
    with caplog.at_level(logging.WARNING):
        conversations.warm_up(1, 2048)
    assert "no graphs here" in caplog.text
    assert conversations.live().graph is None
    nothing = SimpleNamespace(token_ids=[1, 2], images=())
    pictures = PromptPictures(conversations.known_pixels, StepClock())
    other: Any = nothing
    assert conversations.continue_with(other, "int8", pictures, CancelToken()).graph is None
