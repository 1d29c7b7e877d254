"""Lets a question about a hundred pages, and one about two hours of video, go through the real engine to its answer.

    python tests/benchmarks/bench_long_jobs.py                                 # the pocket model on the CPU
    python tests/benchmarks/bench_long_jobs.py --shape 4B --limit-gib 16       # random weights on one NVIDIA GPU

Answers are cut short. With `--limit-gib` the plan may use so much of the device, and torch may not take more. The exit status
is 1 where a job fails, a page or minute is left out, or more memory was used than was allowed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import AttachmentRead, Event, Failed, Finished, PrefillProgress
from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.media_events import StretchAnswered
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import Planned
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
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from tests.clips import write_clip
from tests.documents import write_document

GIB = 2**30
POCKET = Path(__file__).resolve().parents[2] / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"


class PeakMemory:
    """Watches what is used, 20 times a second.

    Args:
        read: what is used now, in bytes.
    """

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._ends = threading.Event()
        self.bytes = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ends.wait(0.05):
            self.bytes = max(self.bytes, self._read())


@dataclass(frozen=True, slots=True)
class Job:
    """One question.

    Args:
        name: for the table.
        path: of the file.
        kv_type: numbers in the KV cache.
        selection: of the file.
    """

    name: str
    path: Path
    kv_type: str = "auto"
    selection: MediaSelection = WHOLE


def run_job(
    engine: Engine, job: Job, model: str, options: argparse.Namespace, used: Callable[[], int]
) -> bool:
    """Ask; print what became of it; whether all is well."""
    limit_bytes = round(options.limit_gib * GIB) if options.limit_gib else None
    memory = MemoryLimits(vram_limit_bytes=limit_bytes, kv_type=job.kv_type)
    choice = ModelChoice(model, BackendChoice(options.backend), memory=memory)
    turn = Turn(Role.USER, "What does it say?", (Attachment(str(job.path), job.selection),))
    greedy = SamplingOverrides(temperature=0.0)
    request = Request("r", choice, (turn,), sampling=greedy, max_new_tokens=options.answer_tokens)
    cancel, began_s = CancelToken(), time.monotonic()
    stop = threading.Timer(options.seconds, cancel.cancel)
    stop.start()
    with PeakMemory(used) as peak:
        events = list(engine.generate(request, cancel))
    stop.cancel()
    is_well = _tell(job, events, time.monotonic() - began_s, peak.bytes)
    return is_well and (limit_bytes is None or peak.bytes <= limit_bytes)


def _tell(job: Job, events: list[Event], took_s: float, peak_bytes: int) -> bool:
    end = events[-1]
    read = [event for event in events if isinstance(event, AttachmentRead)]
    parts = [event.answered.stretch for event in events if isinstance(event, StretchAnswered)]
    plans = [event for event in events if isinstance(event, Planned)]
    plan = f"KV {plans[-1].kv_type}, chunk {plans[-1].prefill_chunk}" if plans else "no plan told"
    prompts = [event for event in events if isinstance(event, PrefillProgress)]
    tokens = f"{prompts[-1].done_tokens} of {prompts[-1].total_tokens} tokens" if prompts else "no token"
    said = f"{job.name}: {len(read)} files or pages and {tokens} of the last prompt read, {len(parts) or 1} parts, {plan}"
    said += f", peak {peak_bytes / GIB:.2f} GiB, {took_s:.0f} s"
    if isinstance(end, Failed):
        print(f"{said}, FAILED {end.error}: {end.message} {end.details[-800:]}", flush=True)
        return False
    if not isinstance(end, Finished):
        raise TypeError(f"the last event is {end}")
    covered = _covered(parts)
    print(
        f"{said}, {end.stats.prompt_tokens} prompt tokens, {end.stats.new_tokens} new, {end.finish_reason}"
        f"{f', {covered}' if parts else ''}",
        flush=True,
    )
    has_gap = bool(parts) and "gap" in covered
    return end.finish_reason != "cancelled" and not has_gap


def _covered(parts: list) -> str:
    """What the parts cover, and whether anything between them is left out."""
    if not parts:
        return ""
    step = 1 if parts[0].is_pages else 0
    gaps = [b for a, b in pairwise(parts) if abs(b.first - a.last - step) > 0.02]
    return f"{parts[0].first:g} to {parts[-1].last:g}" + (f", gap before {gaps[0].first:g}" if gaps else "")


def device_memory(is_on_gpu: bool, limit_gib: float) -> Callable[[], int]:
    """What this process uses of the device; on a GPU torch is kept below the limit as well."""
    if not is_on_gpu:
        process = psutil.Process()
        return lambda: int(process.memory_info().rss)
    from tests.gpu.memory_rows import DeviceMemory

    # As the backend sets it, which here comes too late.
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    device = DeviceMemory.open()
    import torch

    torch.zeros(1, device="cuda")
    context_bytes, total = device.used_bytes(), torch.cuda.get_device_properties(0).total_memory
    if limit_gib:
        torch.cuda.set_per_process_memory_fraction((limit_gib * GIB - context_bytes) / total)
    print(f"CUDA itself takes {context_bytes / GIB:.2f} GiB", flush=True)
    return device.used_bytes


def main() -> int:
    """Run the jobs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=POCKET)
    parser.add_argument("--backend", default="transformers")
    parser.add_argument("--shape", choices=("2B", "4B"), help="random weights instead of a model")
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "true-shapes")
    parser.add_argument("--limit-gib", type=float, default=0.0)
    parser.add_argument("--answer-tokens", type=int, default=16)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=220.0, help="after which a job is stopped")
    parser.add_argument("--jobs", nargs="+", default=["pages", "pages16", "video"])
    options = parser.parse_args()
    used = device_memory(options.shape is not None, options.limit_gib)
    if options.shape:
        from tests.gpu.true_shape import true_shape_folder

        options.model = true_shape_folder(options.shape, options.models).path
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = [f"Page {number}: invoice {number * 7919 % 10_007}" for number in range(1, options.pages + 1)]
        pages = write_document(folder / "long.pdf", words)
        film = write_clip(folder / "film.mp4", round(options.hours * 3600), 1.0, (640, 360))
        known = {
            "pages": Job(f"{options.pages} pages", pages),
            "pages16": Job(f"{options.pages} pages, KV in 16 bits", pages, "16bit"),
            "video": Job(f"{options.hours:g} h of video", film),
        }
        engine = Engine(store, default_backends(), StepClock(), RequestPlanner(store))
        well = [run_job(engine, known[job], str(options.model), options, used) for job in options.jobs]
        engine.unload()
    print(f"{sum(well)} of {len(well)} went through")
    return int(not all(well))


if __name__ == "__main__":
    sys.exit(main())
