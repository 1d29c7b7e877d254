"""Answers to stream, and a backend that gives them out. No Qt in here: the engine process imports it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from desktopapp.engine.backend import GenerationEnded, GenerationStep, PromptProgress, TokenAdded
from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.backends.registry import Backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.events import FinishReason
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock

SEED = 7
_SENTENCE = (
    "the model reads a picture in patches and turns each of them into one visual token that attention compares "
    "with every other token of the prompt before the first word of the answer can be written to the window"
)
_WORDS = _SENTENCE.split()
_CHINESE = "这张截图显示了一个错误对话框提示网络连接超时您可以检查代理设置然后重新启动应用程序"
_CODE = (
    "def attend(query: Tensor, key: Tensor) -> Tensor:\n",
    '    """Scaled dot products, soft-maxed over the keys."""\n',
    "    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])\n",
    "    return scores.softmax(dim=-1)  # (batch, heads, queries, keys)\n",
    "\n",
)


def _words(rng: random.Random, count: int) -> Iterator[str]:
    for index in range(count):
        word = rng.choice(_WORDS)
        style = rng.random()
        word = f"**{word}**" if style < 0.04 else f"`{word}`" if style < 0.08 else word
        yield word + (". " if index % 14 == 13 else " ")


def mixed(rng: random.Random) -> Iterator[str]:
    """Prose, lists, code, tables and Chinese in turn, without end."""
    section = 0
    while True:
        section += 1
        yield from (f"## Section {section}", "\n\n")
        for _ in range(3):
            yield from _words(rng, 70)
            yield "\n\n"
        for item in range(1, 9):
            yield f"{item}. "
            yield from _words(rng, 9)
            yield "\n"
            yield "   - "
            yield from _words(rng, 5)
            yield "\n"
        yield "\n```python\n"
        for _ in range(5):
            for line in _CODE:
                yield from (line[start : start + 4] for start in range(0, len(line), 4))
        yield "```\n\n"
        for _ in range(2):
            yield from (rng.choice(_CHINESE) for _ in range(90))
            yield "。\n\n"
        yield "| layer | size | note |\n|---|---:|---|\n"
        for row in range(10):
            yield from (f"| {row} ", f"| {row * 37} ", "| ", *_words(rng, 4), "|\n")
        yield "\n> "
        yield from _words(rng, 30)
        yield "\n\n"


def paragraph(rng: random.Random) -> Iterator[str]:
    """One paragraph that never ends."""
    while True:
        yield from _words(rng, 1000)


def code(rng: random.Random) -> Iterator[str]:
    """One code block that never ends."""
    yield "```python\n"
    while True:
        for line in _CODE:
            yield from (line[start : start + 4] for start in range(0, len(line), 4))


def bullets(rng: random.Random) -> Iterator[str]:
    """One list of short rows: 2,000 of them in 20,000 tokens."""
    while True:
        yield "- "
        yield from _words(rng, 8)
        yield "\n"


def nested(rng: random.Random) -> Iterator[str]:
    """One list item that holds all the others."""
    yield "1. everything\n"
    while True:
        yield "   - "
        yield from _words(rng, 8)
        yield "\n"


def table(rng: random.Random) -> Iterator[str]:
    """One table of rows: 2,000 of them in 20,000 tokens."""
    yield "| a | b | c |\n|---|---|---|\n"
    while True:
        yield from ("| ", *_words(rng, 3), "| ", *_words(rng, 3), "| x |\n")


def one_line(rng: random.Random) -> Iterator[str]:
    """A code block of a single line, as of minified JavaScript."""
    yield "```js\n"
    while True:
        yield f"f({rng.randrange(99)}),"


CASES: dict[str, Callable[[random.Random], Iterator[str]]] = {
    case.__name__: case for case in (mixed, paragraph, code, bullets, nested, table, one_line)
}


class CaseBackend(FakeBackend):
    """Gives out one of the cases at a rate.

    Args:
        case: key of `CASES`.
        rate: tokens a second.
    """

    def __init__(self, case: str, rate: float) -> None:
        super().__init__()
        self._case = case
        self._rate = rate

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
    ) -> Iterator[GenerationStep]:
        """Whatever the prompt is, the case."""
        yield PromptProgress(1, 1)
        started_s = time.perf_counter()
        for number, text in enumerate(islice(CASES[self._case](random.Random(SEED)), max_new_tokens)):
            cancel.raise_if_cancelled()
            with steps.step("decode", 1.0, initial_rate=1.0):
                time.sleep(max(0.0, started_s + number / self._rate - time.perf_counter()))
            yield TokenAdded(number, text.encode())
        yield GenerationEnded(FinishReason.LENGTH, 0)


def case_backends(case: str, rate: float) -> Backends:
    """The backends of an engine process that streams a case."""
    return {BackendChoice.FAKE: lambda: CaseBackend(case, rate)}
