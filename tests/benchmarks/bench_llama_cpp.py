"""Measures the llama.cpp backend on the CPU beside llama.cpp itself and beside its bindings' picture handler.

    python tests/benchmarks/bench_llama_cpp.py [--folder build/bench-llama] [--rounds 3] [--row NAME ...]

Each row runs ours and the peer's by turns in one process, on the same weights, and takes the best round of each. Of a
prompt's speed the whole way counts, from the conversation to the first logits. The bars are those of the project's
plan; the exit status is 1 where one is missed.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktopapp.engine.backend import GenerationStep, LoadOptions, PromptProgress, TokenAdded
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.memory.heap import give_back_freed
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from tests.benchmarks.llama_cpp_model import measured_model
from tests.pictures import NoisePicture

if TYPE_CHECKING:
    from tests.benchmarks.llama_cpp_peers import Speed

GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
PROMPT_TOKENS, SHORT_PROMPT_TOKENS, NEW_TOKENS = 128, 32, 32
LOADS = 50
ANSWER = "Yes."


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        what: was measured.
        ours: as text.
        peer: likewise.
        bar: likewise.
        met: whether the bar is.
    """

    what: str
    ours: str
    peer: str
    bar: str
    met: bool


@contextmanager
def loaded(files: ModelFiles, threads: int | None = None) -> Iterator[LlamaCppBackend]:
    """Our backend with the model."""
    backend = LlamaCppBackend()
    options = LoadOptions(device="cpu", context_tokens=4096, threads=threads)
    backend.load(files, options, StepClock(), lambda *_: None)
    yield backend
    backend.unload()


def forget(backend: LlamaCppBackend) -> None:
    """Empty the cache."""
    if backend._loaded is not None:
        backend._loaded.context.cut(0)
        backend._loaded.saved.clear()


def run(
    backend: LlamaCppBackend, prompt: Sequence[PromptPart], new_tokens: int, cancel: CancelToken | None = None
) -> Iterator[tuple[float, GenerationStep]]:
    """Steps with the seconds since the beginning."""
    began_s = time.perf_counter()
    for step in backend.generate(prompt, GREEDY, new_tokens, cancel or CancelToken(), StepClock()):
        yield time.perf_counter() - began_s, step


def first_token_s(backend: LlamaCppBackend, prompt: Sequence[PromptPart]) -> float:
    """Seconds to the first token."""
    return next(time_s for time_s, step in run(backend, prompt, 1) if isinstance(step, TokenAdded))


def ask(*content: str | NoisePicture) -> list[PromptPart]:
    """A turn of the person."""
    parts: list[PromptPart] = [TextPart("<|im_start|>user\n")]
    parts += [TextPart(item, False) if isinstance(item, str) else ImagePart(item) for item in content]
    return [*parts, TextPart("<|im_end|>\n<|im_start|>assistant\n")]


def answered(prompt: Sequence[PromptPart]) -> list[PromptPart]:
    """A prompt with its answer."""
    return [*prompt, TextPart(ANSWER, False), TextPart("<|im_end|>\n")]


def measure_prompt(files: ModelFiles, rounds: int) -> list[Row]:
    """Speed of reading a text, beside the bare C interface."""
    speeds = _measure_text(files, rounds, PROMPT_TOKENS, 1)
    own, peer = (max(speed.prompt for speed in side) for side in speeds)
    return [_ratio_row("prompt tokens/s, text", own, peer)]


def measure_decode(files: ModelFiles, rounds: int) -> list[Row]:
    """Speed of an answer, likewise."""
    speeds = _measure_text(files, rounds, SHORT_PROMPT_TOKENS, NEW_TOKENS)
    own, peer = (max(speed.decode for speed in side) for side in speeds)
    return [_ratio_row("decode tokens/s", own, peer)]


def measure_prompt_work(files: ModelFiles, rounds: int) -> list[Row]:
    """Processor time of reading a text in one thread, which other programs move less than the time on the clock."""
    from tests.benchmarks.llama_cpp_peers import BareLoop

    ours, peers = [], []
    with loaded(files, threads=1) as backend:
        if backend._loaded is None:
            raise RuntimeError("no model is loaded")
        prompt = ask("qz" * (PROMPT_TOKENS // 2))
        ids = _token_ids(backend, prompt)
        with closing(BareLoop(backend._loaded, 1)) as bare:
            bare.run(ids[:32], 2)
            first_token_s(backend, ask("qz"))
            for _ in range(rounds):
                began_s = time.process_time()
                bare.run(ids, 1)
                peers.append(time.process_time() - began_s)
                forget(backend)
                began_s = time.process_time()
                first_token_s(backend, prompt)
                ours.append(time.process_time() - began_s)
    own, peer = len(ids) / min(ours), len(ids) / min(peers)
    return [_ratio_row("prompt tokens/processor second, one thread", own, peer)]


def _token_ids(backend: LlamaCppBackend, prompt: Sequence[PromptPart]) -> list[int]:
    if backend._loaded is None:
        raise RuntimeError("no model is loaded")
    weights = backend._loaded.weights
    return [
        token
        for part in prompt
        if isinstance(part, TextPart)
        for token in weights.tokenize(part.text, parse_special=part.parse_special)
    ]


def _ratio_row(what: str, own: float, peer: float) -> Row:
    return Row(what, f"{own:.2f}", f"{peer:.2f}", f"0.97 (is {own / peer:.3f})", own / peer >= 0.97)


def _measure_text(
    files: ModelFiles, rounds: int, prompt_tokens: int, new_tokens: int
) -> tuple[list[Speed], list[Speed]]:
    """Ours and the peer's by turns, so that what else the machine does meets both."""
    from desktopapp.engine.backends.llama_cpp.devices import thread_count
    from tests.benchmarks.llama_cpp_peers import BareLoop

    with loaded(files) as backend:
        if backend._loaded is None:
            raise RuntimeError("no model is loaded")
        # One letter is one token of this vocabulary.
        prompt = ask("qz" * (prompt_tokens // 2))
        ids = _token_ids(backend, prompt)
        ours: list[Speed] = []
        peers: list[Speed] = []
        with closing(BareLoop(backend._loaded, thread_count())) as bare:
            # The first evaluations of either read the weights from the disk.
            bare.run(ids[:32], 2)
            _speed(backend, ask("qz"), 32, 2)
            for number in range(2 * rounds):
                if number % 4 in (0, 3):
                    peers.append(bare.run(ids, new_tokens))
                else:
                    ours.append(_speed(backend, prompt, len(ids), new_tokens))
    return ours, peers


def _speed(backend: LlamaCppBackend, prompt: Sequence[PromptPart], tokens: int, new_tokens: int) -> Speed:
    from tests.benchmarks.llama_cpp_peers import Speed

    forget(backend)
    times = [at_s for at_s, step in run(backend, prompt, new_tokens) if isinstance(step, TokenAdded)]
    if len(times) < new_tokens // 2:
        raise RuntimeError(f"the model stopped after {len(times)} tokens")
    decode = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    return Speed(tokens / times[0], decode)


def measure_second_turn(files: ModelFiles, rounds: int) -> list[Row]:
    """First token of turn 2 on a picture of 1,024 tokens and 500 of text."""
    from desktopapp.engine.backends.llama_cpp.devices import thread_count
    from tests.benchmarks.llama_cpp_peers import Handler, message

    picture, words = NoisePicture(1024, 1024, 1), "qz" * 250
    first = ask(picture, words)
    messages = [message("user", words, picture), message("assistant", ANSWER), message("user", "And now?")]
    own, peer = [], []
    with loaded(files) as backend:
        handler = Handler(files, thread_count())
        for _ in range(max(1, rounds - 1)):
            peer.append(handler.first_token_s(messages))
            forget(backend)
            first_token_s(backend, first)
            own.append(first_token_s(backend, [*answered(first), *ask("And now?")]))
        handler.close()
    ratio = min(peer) / min(own)
    what = "first token of turn 2, picture of 1,024 tokens"
    return [Row(what, f"{min(own):.3f} s", f"{min(peer):.3f} s", f"10 x (is {ratio:.1f})", ratio >= 10)]


def measure_conversation(files: ModelFiles, rounds: int) -> list[Row]:
    """Prompt time of twenty turns with three pictures; one round, since it is long."""
    from desktopapp.engine.backends.llama_cpp.devices import thread_count
    from tests.benchmarks.llama_cpp_peers import Handler, message

    own = peer = 0.0
    prompt: list[PromptPart] = []
    messages = []
    with loaded(files) as backend:
        handler = Handler(files, thread_count())
        for turn in range(20):
            pictures = [NoisePicture(256, 256, turn)] if turn in (0, 7, 14) else []
            words = f"{turn}: more?"
            prompt = [*(answered(prompt) if prompt else []), *ask(*pictures, words)]
            messages += [message("assistant", ANSWER)] if turn else []
            messages.append(message("user", words, *pictures))
            own += first_token_s(backend, prompt)
            peer += handler.first_token_s(messages)
        handler.close()
    what = "20 turns with 3 pictures, prompt time"
    ratio = peer / own
    return [Row(what, f"{own:.2f} s", f"{peer:.2f} s", f"8 x (is {ratio:.1f})", ratio >= 8)]


def measure_memory(files: ModelFiles, rounds: int) -> list[Row]:
    """Resident memory after many loads and unloads, a picture looked at in each."""
    process, resident = psutil.Process(), []
    for _ in range(LOADS):
        with loaded(files) as backend:
            for _ in run(backend, ask(NoisePicture(256, 256), "?"), 2):
                pass
        gc.collect()
        give_back_freed()  # what is free in the C library's heap is nobody's
        resident.append(process.memory_info().rss / 2**20)
    growth = resident[-1] / resident[0] - 1
    what = f"memory after {LOADS} loads and unloads"
    return [
        Row(
            what, f"{resident[-1]:.0f} MiB", f"{resident[0]:.0f} MiB", f"5 % (is {growth:.1%})", growth < 0.05
        )
    ]


def measure_stop(files: ModelFiles, rounds: int) -> list[Row]:
    """From Stop to silence, while an answer is written, while a text is read, and while a picture is looked at."""
    decode, prefill, batch, picture = [], [], [], []
    with loaded(files) as backend:
        for number in range(8):
            decode.append(_stop(backend, ask("Go on."), TokenAdded, 0.013 * number))
        long = ask("qz" * 1000)
        forget(backend)
        times = [at_s for at_s, step in run(backend, long, 1) if isinstance(step, PromptProgress)]
        batch = [later - earlier for earlier, later in itertools.pairwise(times)]
        for number in range(4):
            forget(backend)
            prefill.append(_stop(backend, long, PromptProgress, max(batch) * number / 4))
        large = ask(NoisePicture(1024, 1024, 1), "?")
        began_s = time.perf_counter()
        first_token_s(backend, large)
        whole_s = time.perf_counter() - began_s
        for number in range(4):
            forget(backend)
            picture.append(_stop(backend, large, PromptProgress, whole_s * (number + 0.5) / 8))
    return [
        Row("Stop to silence, decode", f"{max(decode):.3f} s", "-", "0.3 s", max(decode) <= 0.3),
        Row(
            "Stop to silence, prefill",
            f"{max(prefill):.2f} s",
            f"{max(batch):.2f} s (one micro-batch)",
            "one micro-batch",
            max(prefill) <= max(batch) * 1.2,
        ),
        Row(
            "Stop to silence, picture of 1,024 tokens",
            f"{max(picture):.2f} s",
            f"{whole_s:.2f} s (one picture)",
            "one picture",
            max(picture) <= whole_s,
        ),
    ]


def _stop(
    backend: LlamaCppBackend, prompt: Sequence[PromptPart], at: type[GenerationStep], wait_s: float
) -> float:
    """Seconds from Stop, some time after the first step of a kind, to the end of the generation."""
    cancel, stopped_s = CancelToken(), 0.0

    def stop() -> None:
        nonlocal stopped_s
        stopped_s = time.perf_counter()
        cancel.cancel()

    timer = threading.Timer(wait_s, stop)
    try:
        for _, step in run(backend, prompt, 4000, cancel):
            if isinstance(step, at) and not timer.is_alive() and not stopped_s:
                timer.start()
    except Cancelled:
        return time.perf_counter() - stopped_s
    finally:
        timer.cancel()
    raise RuntimeError("the answer ended before it was stopped")


ROWS: dict[str, Callable[[ModelFiles, int], list[Row]]] = {
    "prompt": measure_prompt,
    "prompt-work": measure_prompt_work,
    "decode": measure_decode,
    "second-turn": measure_second_turn,
    "conversation": measure_conversation,
    "stop": measure_stop,
    "memory": measure_memory,
}


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("build/bench-llama"), help="where the model is made"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--row", choices=ROWS, action="append", help="only these")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    files = measured_model(arguments.folder)
    missed = False
    print(f"{'what':50} {'ours':>12} {'compared with':>24}  bar")
    for name in arguments.row or ROWS:
        for row in ROWS[name](files, arguments.rounds):
            missed |= not row.met
            sign = "met" if row.met else "MISSED"
            print(f"{row.what:50} {row.ours:>12} {row.peer:>24}  {row.bar}: {sign}", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
