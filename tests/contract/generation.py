"""Prompts and runs that the contract is written in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Backend,
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    PromptProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import (
    ImagePart,
    ImageSource,
    PromptPart,
    TextPart,
    VideoPart,
    VideoSource,
)
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from tests.pictures import NoiseVideo

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
SAMPLED = SamplingParameters(temperature=1.0, top_p=0.95, top_k=40, presence_penalty=1.5, seed=11)


def ask(*content: str | ImageSource | VideoSource) -> list[PromptPart]:
    """One turn of a person, as the engine lays it out: template, the person's words, template."""
    parts: list[PromptPart] = [TextPart("<|im_start|>user\n")]
    for item in content:
        if isinstance(item, str):
            parts.append(TextPart(item, False))
        else:
            parts.append(VideoPart(item) if isinstance(item, NoiseVideo) else ImagePart(item))
    return [*parts, TextPart("<|im_end|>\n<|im_start|>assistant\n")]


@dataclass(frozen=True, slots=True)
class Run:
    """What a generation yielded."""

    steps: tuple[GenerationStep, ...]

    @property
    def tokens(self) -> list[int]:
        return [step.token_id for step in self.steps if isinstance(step, TokenAdded)]

    @property
    def data(self) -> bytes:
        return b"".join(step.data for step in self.steps if isinstance(step, TokenAdded))

    @property
    def images(self) -> list[ImageEvaluated]:
        return [step for step in self.steps if isinstance(step, ImageEvaluated)]

    @property
    def progress(self) -> list[PromptProgress]:
        return [step for step in self.steps if isinstance(step, PromptProgress)]

    @property
    def prompt_tokens(self) -> int:
        return self.progress[-1].total_tokens

    @property
    def end(self) -> GenerationEnded:
        last = self.steps[-1]
        if not isinstance(last, GenerationEnded):
            raise TypeError(f"the last step is {last}")
        return last


def generate(
    backend: Backend,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters = GREEDY,
    max_new_tokens: int = 12,
    cancel: CancelToken | None = None,
    options: RunOptions = DEFAULT_RUN,
) -> Iterable[GenerationStep]:
    return backend.generate(prompt, sampling, max_new_tokens, cancel or CancelToken(), StepClock(), options)


def run(
    backend: Backend,
    prompt: Sequence[PromptPart],
    sampling: SamplingParameters = GREEDY,
    max_new_tokens: int = 12,
    options: RunOptions = DEFAULT_RUN,
) -> Run:
    return Run(tuple(generate(backend, prompt, sampling, max_new_tokens, options=options)))


def for_each(steps: Iterable[GenerationStep], act: Callable[[GenerationStep], None]) -> None:
    for step in steps:
        act(step)
