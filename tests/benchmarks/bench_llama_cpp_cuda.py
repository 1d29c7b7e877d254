"""Measures the llama.cpp backend on a GPU beside the bare C interface, at the 4B model's text shape.

    python tests/benchmarks/bench_llama_cpp_cuda.py [--folder build/bench-llama-4b] [--weights F16|Q8_0 ...]
        [--depth 2048 53248 ...] [--kv 16bit q8_0 q4_0] [--rounds 2] [--new-tokens 96]

Ours and the peer's run by turns on the same weights in one process, each with a KV cache of its own; the best round
of each counts. Of a prompt's speed the whole way counts, from the conversation to the first token. The exit status
is 1 where a row is below 0.97 of the peer's. Without a GPU that llama.cpp can use it says so and ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.engine.backend import LoadOptions, RunOptions, TokenAdded
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from tests.benchmarks.deep_gguf import make_4b_gguf
from tests.benchmarks.llama_cpp_peers import BareLoop, Speed

if TYPE_CHECKING:
    from desktopapp.engine.backends.llama_cpp.loaded import LoadedGguf

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
BATCH_TOKENS = 2048
BAR = 0.97
_TEMPLATE_TOKENS = 16
_SPARE_CELLS = 1024


@contextmanager
def loaded(files: ModelFiles, cells: int) -> Iterator[LlamaCppBackend]:
    """Our backend with the model on the GPU. Random weights must not end an answer."""
    from desktopapp.engine.backends.llama_cpp.weights import Weights

    backend = LlamaCppBackend()
    options = LoadOptions(device="cuda", context_tokens=cells)
    with mock.patch.object(Weights, "ends_answer", _never_ends):
        backend.load(files, options, StepClock(), lambda *_: None)
        yield backend
        backend.unload()


def _never_ends(_weights: object, _token: int) -> bool:
    return False


def make_prompt(backend: LlamaCppBackend, tokens: int) -> tuple[list[PromptPart], list[int]]:
    """A question of about so many tokens: one letter is one token of this vocabulary."""
    parts: list[PromptPart] = [
        TextPart("<|im_start|>user\n"),
        TextPart("qz" * ((tokens - _TEMPLATE_TOKENS) // 2), False),
        TextPart("<|im_end|>\n<|im_start|>assistant\n"),
    ]
    weights = inside(backend).weights
    ids = [
        token
        for part in parts
        if isinstance(part, TextPart)
        for token in weights.tokenize(part.text, parse_special=part.parse_special)
    ]
    return parts, ids


def inside(backend: LlamaCppBackend) -> LoadedGguf:
    """What it has loaded."""
    if backend._loaded is None:
        raise RuntimeError("no model is loaded")
    return backend._loaded


def run_ours(
    backend: LlamaCppBackend, prompt: Sequence[PromptPart], tokens: int, new_tokens: int, options: RunOptions
) -> Speed:
    """One answer from an empty cache."""
    inside(backend).context.cut(0)
    inside(backend).saved.clear()
    began_s = time.perf_counter()
    steps = backend.generate(prompt, GREEDY, new_tokens, CancelToken(), StepClock(), options)
    times = [time.perf_counter() - began_s for step in steps if isinstance(step, TokenAdded)]
    return Speed(tokens / times[0], (len(times) - 1) / (times[-1] - times[0]))


def measure(backend: LlamaCppBackend, kv_type: str, depth: int, rounds: int, new_tokens: int) -> list[float]:
    """One row of the table; returns the ratios."""
    from desktopapp.engine.backends.llama_cpp.devices import thread_count
    from desktopapp.engine.backends.llama_cpp.kv_type import choose_kv_type

    prompt, ids = make_prompt(backend, depth)
    cells = depth + _SPARE_CELLS
    options = RunOptions(kv_type, BATCH_TOKENS, cells)
    kind = choose_kv_type(kv_type, "F16", 128)
    ours: list[Speed] = []
    peers: list[Speed] = []
    with closing(BareLoop(inside(backend), thread_count(), cells, kind, BATCH_TOKENS)) as bare:
        # Kernels are loaded at their first use.
        bare.run(ids[:256], 4)
        run_ours(backend, make_prompt(backend, 256)[0], 256, 4, options)
        for _ in range(rounds):
            peers.append(bare.run(ids, new_tokens))
            ours.append(run_ours(backend, prompt, len(ids), new_tokens, options))
    ratios = []
    row = [f"{inside(backend).facts.precision:6} {kv_type:6} {len(ids):8}"]
    for name in ("prompt", "decode"):
        own, peer = (max(getattr(speed, name) for speed in speeds) for speeds in (ours, peers))
        ratios.append(own / peer)
        row.append(f"{own:10.1f} {peer:10.1f} {own / peer:7.3f}")
    parts = backend.memory_parts()
    row.append(
        " ".join(
            f"{size / 2**30:7.2f}"
            for size in (parts.weights_bytes, parts.kv_cache_bytes, parts.workspace_bytes)
        )
    )
    print(" ".join(row), flush=True)
    return ratios


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("build/bench-llama-4b"))
    parser.add_argument("--weights", nargs="+", default=["F16", "Q8_0"])
    parser.add_argument("--kv", nargs="+", default=["16bit", "q8_0", "q4_0"])
    parser.add_argument("--depth", nargs="+", type=int, default=[2048, 53_248])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--new-tokens", type=int, default=96)
    arguments = parser.parse_args()
    from desktopapp.engine.backends.llama_cpp.devices import list_gpus

    if not list_gpus():
        print("this build of llama.cpp uses no GPU here: nothing to measure")
        return 0
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{'model':6} {'KV':6} {'depth':>8} {'prompt/s':>10} {'bare':>10} {'ratio':>7} {'decode/s':>10} "
        f"{'bare':>10} {'ratio':>7} {'weights':>7} {'KV GiB':>7} {'work':>7}"
    )
    ratios: list[float] = []
    for weights in arguments.weights:
        files = make_4b_gguf(arguments.folder, weights)
        with loaded(files, max(arguments.depth) + _SPARE_CELLS) as backend:
            for depth in arguments.depth:
                for kv_type in arguments.kv if depth > min(arguments.depth) else arguments.kv[:1]:
                    ratios += measure(backend, kv_type, depth, arguments.rounds, arguments.new_tokens)
    print(f"lowest ratio {min(ratios):.3f}, bar {BAR}: {'met' if min(ratios) >= BAR else 'MISSED'}")
    return int(min(ratios) < BAR)


if __name__ == "__main__":
    sys.exit(main())
