"""Runs under pressure on a real card: beside a neighbour that takes memory, and many requests in a row.

`python -m tests.gpu.pressure neighbour` and `... many`; `test_neighbour.py` and `test_many_requests.py` run the same.
The engine runs as the program runs it, in a process of its own behind its client. A second process takes so much of the
card at first that it becomes a small one.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.events import Failed, Finished, PrefillProgress, TextAdded
from desktopapp.engine.memory.probe import open_gpu_probe
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import MemorySample, Planned
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    MemoryLimits,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from models.qwen_files.tokenizer import make_tokenizer
from tests.engine_client import EngineClient

MIB, GIB = 2**20, 2**30
GREEDY = SamplingOverrides(temperature=0.0, presence_penalty=0.0)
_NEIGHBOUR = """
import sys, torch
held = []
torch.zeros(1, device="cuda")
print("ready", flush=True)
for line in sys.stdin:
    try:
        held.append(torch.empty(int(line), dtype=torch.uint8, device="cuda"))
        torch.cuda.synchronize()
        print("taken", flush=True)
    except torch.OutOfMemoryError:
        print("refused", flush=True)
"""


class Neighbour:
    """Another program on the same card; use it in a `with` block."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NEIGHBOUR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.taken_bytes = 0
        self._hear()

    def __enter__(self) -> Neighbour:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def take(self, size_bytes: int) -> bool:
        """Allocate so much; False where there is not so much."""
        assert self._process.stdin is not None
        print(size_bytes, file=self._process.stdin, flush=True)
        if self._hear() != "taken":
            return False
        self.taken_bytes += size_bytes
        return True

    def leave(self, free_bytes: int) -> None:
        """Take what is free but for so much."""
        while (more := free_memory() - free_bytes) > 2 * MIB and self.take(min(more, 8 * GIB)):
            pass

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def free_memory() -> int:
    """Of the card, as its driver counts it."""
    probe = open_gpu_probe()
    try:
        sample = probe.sample()
        return sample.total_bytes - sample.used_bytes
    finally:
        probe.close()


def model_folder(size: str) -> str:
    """Random weights of the true shape, but for a vocabulary of words that can be written down."""
    place = Path(tempfile.gettempdir()) / "written-shapes"
    words = len(make_tokenizer().get_vocab(with_added_tokens=True))
    code = (
        "from dataclasses import replace; from pathlib import Path;"
        "from tests.gpu.true_shape import SHAPES, true_shape_folder;"
        f"shape = replace(SHAPES[{size!r}], vocabulary={words});"
        f"print(true_shape_folder({size!r}, Path({str(place)!r}), shape).path)"
    )
    # In a process of its own: what CUDA takes there is given back before anything is measured.
    return subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()[-1]


def request(
    folder: str,
    name: str,
    text: str,
    new_tokens: int,
    ceiling_bytes: int | None = None,
    pictures: tuple[str, ...] = (),
) -> Request:
    """A greedy request to the transformers backend."""
    choice = ModelChoice(
        folder, BackendChoice.TRANSFORMERS, memory=MemoryLimits(vram_limit_bytes=ceiling_bytes)
    )
    turn = Turn(Role.USER, text, tuple(Attachment(path) for path in pictures))
    return Request(name, choice, (turn,), sampling=GREEDY, max_new_tokens=new_tokens)


@dataclass(slots=True)
class NeighbourRun:
    """How a run beside a neighbour went."""

    end: Finished | Failed
    retries: list[Retrying]
    streamed: str
    taken_bytes: int
    lines: list[str]


def beside_neighbour(size: str, tokens: int, new_tokens: int, free_gib: float) -> NeighbourRun:
    """A long prompt and a long answer while a second process takes memory in steps.

    Before the weights are loaded it takes 3 GiB of what the plan counted on, then an eighth of a GiB at each chunk of the
    prompt, and from the 100th piece of the answer on all but 40 MiB, again and again.
    """
    folder, lines, streamed = model_folder(size), [], ""
    began = time.monotonic()

    def note(words: str) -> None:
        lines.append(f"{time.monotonic() - began:6.1f} s  free {free_memory() / GIB:6.2f} GiB  {words}")
        print(lines[-1], flush=True)

    with Neighbour() as neighbour, EngineClient(default_backends, Path(tempfile.mkdtemp())) as client:
        neighbour.leave(round(free_gib * GIB))
        before = neighbour.taken_bytes
        note("the neighbour made the card small")
        client.process.submit(request(folder, "r", "ab " * (tokens // 3), new_tokens))
        pieces, chunks, plans = 0, 0, 0
        while True:
            for event in client.process.poll(0.5):
                if isinstance(event, Planned):
                    plans += 1
                    note(
                        f"planned {event.prompt_tokens} tokens, KV {event.kv_type}, weights {event.precision}, "
                        f"chunk {event.prefill_chunk}, peak {event.peak_bytes / GIB:.2f} of {event.limit_bytes / GIB:.2f}"
                    )
                    if plans == 1 and neighbour.take(3 * GIB):
                        note("the neighbour took 3 GiB before the load")
                elif isinstance(event, Retrying):
                    client.events.append(event)
                    note(f"step down: {event.step}, as memory ran out while {event.what}")
                elif isinstance(event, PrefillProgress):
                    chunks += 1
                    if chunks % 8 == 0 and chunks <= 64:
                        neighbour.take(GIB // 8)
                elif isinstance(event, TextAdded):
                    streamed += event.text
                    pieces += 1
                    if pieces >= 100 and pieces % 50 == 0:
                        neighbour.leave(40 * MIB)
                    if pieces in (100, 1000):
                        note(f"{pieces} pieces of the answer; the neighbour takes all but 40 MiB")
                elif isinstance(event, Finished | Failed):
                    note(
                        f"{type(event).__name__} {getattr(event, 'message', '')} {getattr(event, 'details', '')[-600:]}"
                    )
                    retries = [one for one in client.events if isinstance(one, Retrying)]
                    return NeighbourRun(event, retries, streamed, neighbour.taken_bytes - before, lines)


@dataclass(slots=True)
class ManyRuns:
    """How many requests in a row went."""

    ends: list[Finished | Failed]
    reserved_bytes: list[int]
    retries: int
    answer_s: list[float] = field(default_factory=list)
    first_token_s: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Of the largest reserved memory in the second half against the first."""
        half = len(self.reserved_bytes) // 2
        return max(self.reserved_bytes[half:]) / max(self.reserved_bytes[:half]) - 1


def many_requests(size: str, count: int, ceiling_gib: float, card_gib: float, seconds: float) -> ManyRuns:
    """Requests of random size in a row under a ceiling, on a card that has little more than it."""
    folder, draw, began = model_folder(size), random.Random(7), time.monotonic()
    pictures = Path(tempfile.mkdtemp())
    runs = ManyRuns([], [], 0)
    with small_card(card_gib), EngineClient(default_backends, pictures) as client:
        for number in range(count):
            if time.monotonic() - began > seconds:
                break
            drawn = _draw_sizes(draw) if number else LARGEST
            files = tuple(
                _noise(pictures / f"{number}-{i}.png", size, draw) for i, size in enumerate(drawn.pictures)
            )
            asked = request(
                folder,
                f"r{number}",
                "ab " * (drawn.tokens // 3),
                drawn.new_tokens,
                round(ceiling_gib * GIB),
                files,
            )
            place = len(client.events)
            asked_s = time.monotonic()
            end = client.ask(asked)
            runs.ends.append(end)
            runs.answer_s.append(time.monotonic() - asked_s)
            if isinstance(end, Finished):
                runs.first_token_s.append(end.stats.time_to_first_token_s)
            after = client.events.index(end)
            client.wait_for(MemorySample, after)
            samples = [e for e in client.events[place:] if isinstance(e, MemorySample)]
            runs.reserved_bytes.append(max(sample.parts.total_bytes for sample in samples))
            again = [e for e in client.events[place:] if isinstance(e, Retrying)]
            runs.retries += len(again)
            plan = [e for e in client.events[place:] if isinstance(e, Planned)][-1:]
            if number % 10 == 0 or again or isinstance(end, Failed):
                print(
                    f"{number:4d} {time.monotonic() - began:6.1f} s  reserved {runs.reserved_bytes[-1] / GIB:.3f}"
                    f" GiB  engine {max(s.engine_bytes for s in samples) / GIB:.3f}"
                    f"  {[(p.prompt_tokens, p.kv_type, p.precision, p.prefill_chunk, round(p.peak_bytes / GIB, 2)) for p in plan]}"
                    f"  {[(e.step, e.what) for e in again]} {getattr(end, 'message', '')}",
                    flush=True,
                )
            for file in files:
                Path(file).unlink()
    return runs


@contextmanager
def small_card(free_gib: float) -> Iterator[None]:
    """A neighbour holds all but so much."""
    with Neighbour() as neighbour:
        neighbour.leave(round(free_gib * GIB))
        yield


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a request: words and answer in tokens, pictures in pixels."""

    tokens: int
    new_tokens: int
    pictures: tuple[tuple[int, int], ...]


LARGEST = Sizes(20_000, 96, ((1500, 1500),) * 3)
"""The first one: what holds memory for good has it from there on."""


def _draw_sizes(draw: random.Random) -> Sizes:
    """As many small ones as large ones in each power of two, as conversations are."""

    def between(least: int, most: int) -> int:
        return round(math.exp(draw.uniform(math.log(least), math.log(most))))

    pictures = tuple((between(64, 1500), between(64, 1500)) for _ in range(draw.choice((0, 0, 1, 2, 3))))
    return Sizes(between(200, 20_000), between(8, 96), pictures)


def _noise(path: Path, size: tuple[int, int], draw: random.Random) -> str:
    width, height = size
    pixels = np.random.default_rng(draw.randrange(2**32)).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path, compress_level=0)
    return str(path)


def main() -> int:
    """Run one of the two and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.pressure", description=__doc__)
    parser.add_argument("what", choices=("neighbour", "many"))
    parser.add_argument("--size", default="")
    parser.add_argument("--seconds", type=float, default=90.0)
    options = parser.parse_args()
    os.environ.setdefault("QWEN3VL_DESKTOP_HOME", tempfile.mkdtemp())
    if options.what == "neighbour":
        run = beside_neighbour(options.size or "4B", 60_000, 1500, 19.0)
        text = run.end.text if isinstance(run.end, Finished) else ""
        print(f"the neighbour took {run.taken_bytes / GIB:.2f} GiB meanwhile")
        print(f"steps: {[(one.step, one.what) for one in run.retries]}")
        print(f"streamed equals the end: {run.streamed == text}; {len(text)} characters")
        return 0 if isinstance(run.end, Finished) else 1
    runs = many_requests(options.size or "2B", 200, 7.5, 8.5, options.seconds)
    failed = [end for end in runs.ends if isinstance(end, Failed)]
    print(f"{len(runs.ends)} requests, {len(failed)} failed, {runs.retries} steps down")
    waited = sum(runs.answer_s)
    print(f"{waited:.0f} s in all, {sum(runs.first_token_s):.0f} s of it until the first tokens")
    print(f"reserved at most {max(runs.reserved_bytes) / GIB:.3f} GiB, growth {runs.growth:+.2%}")
    return 0 if not failed else 1


if __name__ == "__main__":
    sys.exit(main())
