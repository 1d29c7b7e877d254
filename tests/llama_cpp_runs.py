"""Short conversations with the llama.cpp backend, for its tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    LoadOptions,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, VideoPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from tests.pictures import NoisePicture, NoiseVideo

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)


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


def ask(*content: str | NoisePicture | NoiseVideo) -> list[PromptPart]:
    parts: list[PromptPart] = [TextPart("<|im_start|>user\n")]
    for item in content:
        if isinstance(item, str):
            parts.append(TextPart(item, False))
        else:
            parts.append(VideoPart(item) if isinstance(item, NoiseVideo) else ImagePart(item))
    return [*parts, TextPart("<|im_end|>\n<|im_start|>assistant\n")]


def then(
    turn: Sequence[PromptPart], answer: str, *content: str | NoisePicture | NoiseVideo
) -> list[PromptPart]:
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
    def end(self) -> GenerationEnded:
        last = self.steps[-1]
        if not isinstance(last, GenerationEnded):
            raise TypeError(f"the last step is {last}")
        return last

    @property
    def cached(self) -> int:
        return self.progress.cached_tokens


def run(
    backend: LlamaCppBackend,
    prompt: Sequence[PromptPart],
    most: int = 12,
    sampling: SamplingParameters = GREEDY,
    cancel: CancelToken | None = None,
    options: RunOptions = DEFAULT_RUN,
) -> Run:
    steps = backend.generate(prompt, sampling, most, cancel or CancelToken(), StepClock(), options)
    return Run(tuple(steps))


def fresh(
    reference: LlamaCppBackend,
    prompt: Sequence[PromptPart],
    most: int = 12,
    options: RunOptions = DEFAULT_RUN,
) -> list[int]:
    forget(reference)
    result = run(reference, prompt, most, options=options)
    assert result.cached == 0
    return result.tokens
