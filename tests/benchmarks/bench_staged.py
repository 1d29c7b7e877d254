"""Peak KV cache of staged reasoning against the plain chain: python tests/benchmarks/bench_staged.py.

The length of the thoughts is forced, so that it is the same for both: where the model would close its thought or end
its turn, a token of its own is put in place and it goes on. What it writes then means nothing; the bytes are real.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    Backend,
    GenerationEnded,
    GenerationStep,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Failed, Finished, Stats
from desktopapp.engine.prompt_parts import PromptPart, TextPart, TokensPart
from desktopapp.engine.reasoning import reply
from desktopapp.engine.reasoning.staged import NOTES_TOKENS
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    ReasoningLimits,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from desktopapp.modelstore.model import ModelFiles

ROOT = Path(__file__).parents[2]
POCKET = ROOT / "models" / "qwen3-vl" / "qwen3-vl-pocket-thinking"
PICTURE = ROOT / "resources" / "samples" / "receipt.png"
QUESTION = "Add up the prices, then check the total."
CLOSING = b"</think>"
_FILLER = TokenAdded(100, b"?")


class ForcedThought:
    """A backend whose thoughts go on until they are cut.

    Args:
        inner: the real one.
        threads: of llama.cpp; on a busy machine two are slower than one. None is its own choice.
    """

    def __init__(self, inner: Backend, threads: int | None = None) -> None:
        self._inner = inner
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        """As the real one, with so many threads."""
        return self._inner.load(files, replace(options, threads=self._threads), steps, progress)

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        """As the real one, but a thought that the prompt opens never ends by itself."""
        parts, left = list(prompt), max_new_tokens
        text = "".join(part.text for part in prompt if isinstance(part, TextPart))
        if "<think>" not in text or "</think>" in text.rpartition("<think>")[2]:
            yield from self._reply(prompt, sampling, max_new_tokens, cancel, steps, options)
            return
        filler = _FILLER
        while left > 0:
            tokens: list[int] = []
            for step in self._inner.generate(parts, sampling, left, cancel, steps, options):
                if isinstance(step, TokenAdded):
                    if step.data == CLOSING:
                        break
                    filler = step
                    tokens.append(step.token_id)
                    left -= 1
                    yield step
                elif len(parts) == len(prompt) and not isinstance(step, GenerationEnded):
                    yield step
            if left > 0:
                left -= 1
                yield filler
                parts.append(TokensPart((*tokens, filler.token_id)))

    def _reply(self, *arguments: Any) -> Iterator[GenerationStep]:
        """What stands behind a thought; never nothing, whatever the weights are."""
        is_silent = True
        for step in self._inner.generate(*arguments):
            if isinstance(step, TokenAdded) and step.data.strip():
                is_silent = False
            if isinstance(step, GenerationEnded) and is_silent:
                yield _FILLER
            yield step


class _NoLoops:
    """In place of the loop detector: what is forced is full of loops."""

    def add(self, token_id: int, text: str) -> bool:
        """Find nothing."""
        return False


def measure(
    make: Callable[[], Backend],
    choice: ModelChoice,
    limits: ReasoningLimits,
    longest: int,
    threads: int | None,
) -> tuple[Stats, float]:
    """Ask once; the figures and the seconds."""
    engine = Engine(store, {choice.backend: lambda: ForcedThought(make(), threads)}, StepClock())
    turn = Turn(Role.USER, QUESTION, (Attachment(str(PICTURE)),))
    # So hot that tokens come at random: seldom one that ends something.
    hot = SamplingOverrides(temperature=5.0, top_p=1.0, top_k=0, seed=1)
    request = Request("bench", choice, (turn,), sampling=hot, max_new_tokens=longest, reasoning=limits)
    began_s = time.perf_counter()
    end = list(engine.generate(request, CancelToken()))[-1]
    seconds = time.perf_counter() - began_s
    engine.unload()
    if isinstance(end, Failed):
        raise SystemExit(f"{end.message} {end.details}")
    if not isinstance(end, Finished):
        raise TypeError(f"the last event is {end}")
    return end.stats, seconds


def with_longer_context(folder: Path, tokens: int, place: Path) -> Path:
    """The model with a context of at least so many tokens: itself, or a copy that says so.

    Beyond its own limit it writes nonsense, which does not matter here.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["text_config"]["max_position_embeddings"] >= tokens:
        return folder
    copy = place / f"{folder.name}-long"  # of its own name: the store lists one model of each
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.gguf"))
    config["text_config"]["max_position_embeddings"] = tokens
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    from desktopapp.modelstore.gguf_export.export import (
        export_gguf,
    )  # its package is not on every GPU machine

    weights = copy / f"{copy.name}-Q8_0.gguf"
    export_gguf(copy, weights, copy / f"mmproj-{copy.name}-F16.gguf", "Q8_0", "F16")
    return copy


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(POCKET), help="folder of a Thinking model")
    parser.add_argument("--backend", action="append", choices=["transformers", "llama.cpp"])
    parser.add_argument("--only", choices=["plain", "staged"])
    parser.add_argument("--thought-tokens", type=int, default=16_384)
    parser.add_argument("--step-tokens", type=int, default=2_048)
    parser.add_argument("--threads", type=int, help="of llama.cpp")
    parser.add_argument("--out", type=Path, help="JSON lines are added to this file")
    options = parser.parse_args()
    reply.LoopDetector = _NoLoops  # type: ignore[misc, assignment]
    # The last step is the one that answers; it thinks as well.
    steps = options.thought_tokens // options.step_tokens - 1
    runs = {
        "plain": ReasoningLimits(options.thought_tokens),
        "staged": ReasoningLimits(None, steps, options.step_tokens),
    }
    longest = options.thought_tokens + reply.LARGEST_RESERVE_TOKENS + steps * NOTES_TOKENS
    print("| backend | run | prompt | thought | steps | peak KV tokens | peak KV MiB | tokens/s | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    context_tokens = options.thought_tokens + 4096
    place = tempfile.TemporaryDirectory()
    folder = with_longer_context(Path(options.model), context_tokens, Path(place.name))
    for backend in options.backend or ["llama.cpp", "transformers"]:
        choice = ModelChoice(str(folder), BackendChoice(backend), context_tokens=context_tokens)
        for name, limits in runs.items():
            if options.only not in (None, name):
                continue
            stats, seconds = measure(
                default_backends()[choice.backend], choice, limits, longest, options.threads
            )
            row: dict[str, object] = {
                "backend": backend,
                "run": name,
                "prompt": stats.prompt_tokens,
                "thought": stats.thought_tokens,
                "steps": stats.steps,
                "peak KV tokens": stats.kv_peak_tokens,
                "peak KV MiB": round(stats.kv_peak_bytes / 2**20, 2),
                "tokens/s": round(stats.new_tokens / seconds, 1),
                "s": round(seconds, 1),
            }
            print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
