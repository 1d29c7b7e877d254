"""Memory of staged reasoning against the plain chain, at Qwen3-VL-4B's shape with random weights on one NVIDIA GPU.

    PYTHONPATH=. python tests/gpu/bench_staged_large.py plain staged --kv int8

Random weights never close a thought, so token counts drive the run: `plain` thinks all tokens in one reply; `staged` asks
a prompt for each step as `desktopapp.engine.reasoning.staged` does, with the question and its picture before it, random
notes and sentences behind it, and a carry-over behind the thought. All tokens are generated one after another; nothing is skipped.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import torch

from desktopapp.engine.backend import PromptProgress, RunOptions, TokenAdded
from desktopapp.engine.backends.transformers.generation import generate
from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.probe import read_gpu
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TokensPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from tests.gpu.large_model import load, make_network
from tests.pictures import NoisePicture

QUESTION_TOKENS = 256
NOTES_TOKENS = 96
CARRIED_TOKENS = 256  # last sentences of the thought before
ANSWER_TOKENS = 128
_CLOSING = TokensPart((198, 151_668, 271))  # a line break, </think>, two line breaks
_SAMPLING = SamplingParameters(temperature=1.0, top_p=0.95, top_k=20, presence_penalty=0.0)
_LOOK_EVERY_TOKENS = 256
MIB = 2**20


class Chain:
    """Generates, and keeps the largest figures seen.

    Args:
        model: a loaded network.
        kv_type: of the KV cache.
        until_s: `time.perf_counter()` at which it ends, wherever it is.
    """

    def __init__(self, model: LoadedNetwork, kv_type: str, until_s: float) -> None:
        self._model = model
        self._until_s = until_s
        self._options = RunOptions(kv_type)
        self._question: tuple[PromptPart, ...] = (
            ImagePart(NoisePicture(1920, 1088)),
            _random_tokens(QUESTION_TOKENS, seed=1),
        )
        self.kv_tokens = self.kv_bytes = self.device_bytes = self.thought_tokens = self.read_tokens = 0
        self.allocated_bytes = 0

    def think_plainly(self, thought_tokens: int) -> None:
        """One reply."""
        self._reply((), thought_tokens, ANSWER_TOKENS)

    def think_in_steps(self, thought_tokens: int, step_tokens: int) -> None:
        """A reply a step; the last one answers."""
        for step in range(thought_tokens // step_tokens):
            notes = (_random_tokens(NOTES_TOKENS + 40 + CARRIED_TOKENS * bool(step), seed=10 + step),)
            self._reply(notes, step_tokens, NOTES_TOKENS)

    def _reply(self, behind: tuple[PromptPart, ...], thought: int, reply: int) -> None:
        prompt = (*self._question, *behind)
        tokens = tuple(self._run(prompt, thought))
        self.thought_tokens += len(tokens)
        closed = (*prompt, TokensPart(tokens), _CLOSING)
        for _ in self._run(closed, reply):
            pass

    def _run(self, prompt: Sequence[PromptPart], most: int) -> Iterator[int]:
        held = 0
        steps = generate(self._model, prompt, _SAMPLING, most, CancelToken(), StepClock(), self._options)
        for number, step in enumerate(steps):
            if isinstance(step, PromptProgress):
                if step.done_tokens == step.total_tokens:
                    self.read_tokens += step.total_tokens - step.cached_tokens
                held = step.total_tokens
            elif isinstance(step, TokenAdded):
                held += 1
                yield step.token_id
            self.kv_tokens = max(self.kv_tokens, held)
            if number % _LOOK_EVERY_TOKENS == 0:
                self._look()
            if time.perf_counter() > self._until_s:
                break
        if isinstance(steps, Generator):
            steps.close()
        self._look()

    def _look(self) -> None:
        self.kv_bytes = max(self.kv_bytes, self._model.ledger.parts().kv_cache_bytes)
        self.device_bytes = max(self.device_bytes, _device_bytes())
        self.allocated_bytes = max(self.allocated_bytes, torch.cuda.max_memory_allocated())


def measure(
    network: object, run: str, kv_type: str, thought: int, step: int, before_bytes: int, until_s: float
) -> dict[str, object]:
    """One run's figures.

    Args:
        network: of `make_network`.
        run: "plain" or "staged".
        kv_type: of the KV cache.
        thought: tokens in all.
        step: tokens of a step.
        before_bytes: used on the device before anything was made.
        until_s: see `Chain`.
    """
    model = load(network, 40_960)
    warm = Chain(model, kv_type, until_s)
    warm.think_in_steps(32, 16)
    model.conversations.clear()
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    chain = Chain(model, kv_type, until_s)
    began_s = time.perf_counter()
    if run == "plain":
        chain.think_plainly(thought)
    else:
        chain.think_in_steps(thought, step)
    seconds = time.perf_counter() - began_s
    row: dict[str, object] = {
        "run": run,
        "kv": kv_type,
        "thought": chain.thought_tokens,
        "prompt tokens read": chain.read_tokens,
        "peak KV tokens": chain.kv_tokens,
        "peak KV MiB": round(chain.kv_bytes / MIB, 1),
        "peak allocated MiB": round(chain.allocated_bytes / MIB),
        "peak device MiB": round((chain.device_bytes - before_bytes) / MIB),
        "tokens/s": round(chain.thought_tokens / seconds, 1),
        "s": round(seconds, 1),
    }
    model.conversations.clear()
    return row


def _random_tokens(count: int, seed: int) -> TokensPart:
    chosen = torch.randint(0, 150_000, (count,), generator=torch.Generator().manual_seed(seed))
    return TokensPart(tuple(chosen.tolist()))


def _device_bytes() -> int:
    gpu = read_gpu()
    return gpu.total_bytes - gpu.free_bytes if gpu is not None else 0


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", default=["plain", "staged"])
    parser.add_argument("--kv", default="int8", help="KV types, with commas between")
    parser.add_argument("--thought-tokens", type=int, default=16_384)
    parser.add_argument("--step-tokens", type=int, default=2_048)
    parser.add_argument("--seconds", type=float, default=1e6, help="end after these, wherever it is")
    parser.add_argument("--out", type=Path, help="JSON lines are added to this file")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("PyTorch finds no CUDA card")
        return 0
    before_bytes = _device_bytes()
    until_s = time.perf_counter() + options.seconds
    network = make_network()
    print(torch.cuda.get_device_name(), flush=True)
    for kv_type in options.kv.split(","):
        for run in options.runs:
            row = measure(
                network, run, kv_type, options.thought_tokens, options.step_tokens, before_bytes, until_s
            )
            print(json.dumps(row), flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
