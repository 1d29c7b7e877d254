"""Both real backends agree: the same prompt costs the same tokens and is answered with the same tokens.

The model is random and in 32 bits on both sides, so that rounding chooses a token in near ties only.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktopapp.engine.backend import (
    Backend,
    GenerationStep,
    ImageEvaluated,
    LoadOptions,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from tests.moe_folder import make_moe
from tests.near_ties import NEAR_TIE, equal_tokens, lead_of_each_token
from tests.pictures import NoisePicture

TOKENS = 40
GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)


@dataclass(frozen=True)
class Pair:
    """The two backends with the same model."""

    transformers: Backend
    llama_cpp: Backend


@contextmanager
def load_pair(folder: Path, gguf: ModelFiles) -> Iterator[Pair]:
    """Both backends with one model."""
    folder_files = ModelFiles(WeightFormat.SAFETENSORS, folder, None, "F32", gguf.size_bytes)
    backends = Pair(TransformersBackend(), LlamaCppBackend())
    loaded = [
        backend.load(files, LoadOptions(device="cpu"), StepClock(), lambda *_: None)
        for backend, files in ((backends.transformers, folder_files), (backends.llama_cpp, gguf))
    ]
    assert loaded[0].chat_template == loaded[1].chat_template
    assert loaded[0].pixel_budget == loaded[1].pixel_budget
    yield backends
    backends.transformers.unload()
    backends.llama_cpp.unload()


@pytest.fixture(scope="module")
def pair(random_folder: Path, random_gguf: ModelFiles) -> Iterator[Pair]:
    with load_pair(random_folder, random_gguf) as backends:
        yield backends


def chat(*parts: PromptPart) -> list[PromptPart]:
    return [TextPart("<|im_start|>user\n"), *parts, TextPart("<|im_end|>\n<|im_start|>assistant\n")]


def person(text: str) -> TextPart:
    return TextPart(text, parse_special=False)


def picture(width: int, height: int, seed: int = 0) -> ImagePart:
    return ImagePart(NoisePicture(width, height, seed))


@dataclass(frozen=True)
class Outcome:
    """What one backend made of a prompt."""

    prompt_tokens: int
    image_tokens: tuple[int, ...]
    tokens: tuple[int, ...]
    data: bytes


def run(backend: Backend, prompt: list[PromptPart], recipe: SamplingParameters = GREEDY) -> Outcome:
    steps: list[GenerationStep] = list(backend.generate(prompt, recipe, TOKENS, CancelToken(), StepClock()))
    return Outcome(
        prompt_tokens=next(step.total_tokens for step in steps if isinstance(step, PromptProgress)),
        image_tokens=tuple(step.tokens for step in steps if isinstance(step, ImageEvaluated)),
        tokens=tuple(step.token_id for step in steps if isinstance(step, TokenAdded)),
        data=b"".join(step.data for step in steps if isinstance(step, TokenAdded)),
    )


PROMPTS = {
    "text": chat(person("What is in the picture?")),
    "one picture": chat(picture(300, 200), person("What is this?")),
    "a tall picture": chat(picture(40, 900), person("Read it")),
    "a picture on the grid": chat(picture(320, 256), person("Say more.")),
    "a tiny picture": chat(picture(7, 5), person("hm")),
    "a large picture": chat(picture(1500, 1100), person("Look")),
    "two pictures": chat(
        TextPart("Picture 1: "), picture(200, 300, 1), TextPart("Picture 2: "), picture(500, 256, 2), person("Compare")
    ),
    "foreign text": chat(person("你好，世界 👩‍👩‍👧 cafe\u0301 12345 don't\n\n  x")),
    "special text of a person": chat(person("<|im_end|><|vision_start|><|image_pad|></s>")),
    "two turns": [
        *chat(picture(256, 256, 3), person("First?")),
        TextPart("an answer<|im_end|>\n"),
        *chat(person("Second?")),
    ],
}  # fmt: skip


def compare(
    pair: Pair, name: str, recipe: SamplingParameters = GREEDY, near_tie: float = NEAR_TIE
) -> tuple[Outcome, int]:
    """What llama.cpp said, and how many tokens transformers said alike."""
    with lead_of_each_token() as leads:
        theirs = run(pair.transformers, PROMPTS[name], recipe)
    ours = run(pair.llama_cpp, PROMPTS[name], recipe)
    assert (ours.prompt_tokens, ours.image_tokens) == (theirs.prompt_tokens, theirs.image_tokens)
    count = equal_tokens(ours.tokens, theirs.tokens, leads, near_tie)
    if ours.tokens == theirs.tokens:
        assert ours.data == theirs.data
    return ours, count


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """Tokens that were alike, by prompt."""
    return {}


@pytest.mark.parametrize("name", PROMPTS)
def test_same_prompt_tokens_and_same_answer(pair: Pair, name: str, counts: dict[str, int]) -> None:
    _, counts[name] = compare(pair, name)


def test_answers_are_long_enough_to_mean_something(pair: Pair, counts: dict[str, int]) -> None:
    for name in PROMPTS.keys() - counts.keys():
        _, counts[name] = compare(pair, name)
    assert sum(count >= 24 for count in counts.values()) >= len(counts) // 2


@pytest.mark.parametrize("penalty", [{"presence_penalty": 1.5}, {"repetition_penalty": 1.3}])
def test_penalties_mean_the_same(pair: Pair, penalty: dict[str, float]) -> None:
    penalised, count = compare(pair, "one picture", dataclasses.replace(GREEDY, **penalty))
    assert count >= 5
    assert penalised.tokens != run(pair.llama_cpp, PROMPTS["one picture"]).tokens


def test_mixture_of_experts(random_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(random_folder, tmp_path / "moe"))
    make_moe(folder, published_layout=True)
    text_file, projector_file = tmp_path / "moe.gguf", tmp_path / "mmproj.gguf"
    export_gguf(folder, text_file, projector_file, "F32", "F32")
    files = ModelFiles(WeightFormat.GGUF, text_file, projector_file, "F32", size_bytes=1)
    with load_pair(folder, files) as backends:
        assert compare(backends, "text")[1] >= 5
        assert compare(backends, "one picture", near_tie=0.1)[1] >= 5
