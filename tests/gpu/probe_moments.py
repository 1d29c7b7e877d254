"""`python -m tests.gpu.probe_moments`: the gauge's figures beside what else is known, at the moments of a run.

The driver is asked apart from the probe, before and after each sample; weights and keys and values are known from
the model's shape; what others use is known because another process of ours takes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pynvml

from desktopapp.engine.backend import Backend, ImageEvaluated, LoadOptions, PromptProgress, TokenAdded
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.account import Segment, account_of
from desktopapp.engine.memory.probe import DeviceWatch
from desktopapp.engine.prompt_parts import ImagePart, TextPart
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from models.qwen_files.config import ModelShape
from tests.gpu.true_shape import true_shape_folder
from tests.pictures import NoisePicture

GIB, MIB = 2**30, 2**20
BAR_BYTES = 100 * MIB
SHAPE = ModelShape(
    layers=12,
    hidden=2048,
    feed_forward=6144,
    heads=16,
    vocabulary=151936,
    kv_heads=8,
    context_tokens=262144,
    vision_layers=24,
    vision_hidden=1024,
    vision_feed_forward=4096,
    vision_heads=16,
    deepstack_layers=(5, 11, 17),
)
KV_TOKEN_BYTES = 2 * 12 * 8 * 128 * 2
TEXT_TOKENS = 10_000
_GREEDY = SamplingParameters(temperature=0.0, top_p=1.0, top_k=0, presence_penalty=0.0)
_OTHER = (
    "import torch, time; x = torch.empty({size}, dtype=torch.uint8, device='cuda');"
    " torch.cuda.synchronize(); print('here', flush=True); time.sleep(600)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One row.

    Args:
        name: of the moment.
        segments: bytes, as the gauge shows them.
        driver_bytes: in use, as NVML says apart from the probe; the mean of before and after.
        driver_moved_bytes: by how much that changed meanwhile.
        expected: what else is known of single segments.
    """

    name: str
    segments: dict[Segment, int]
    driver_bytes: int
    driver_moved_bytes: int
    expected: dict[Segment, int]

    @property
    def off_bytes(self) -> int:
        """Sum of the used segments less the driver's figure."""
        return sum(self.segments.values()) - self.segments[Segment.FREE] - self.driver_bytes

    @property
    def misses(self) -> list[str]:
        """What is wrong by more than the bar."""
        found = []
        if abs(self.off_bytes) > BAR_BYTES + self.driver_moved_bytes:
            found.append(f"sum off by {self.off_bytes / MIB:.0f} MiB")
        for segment, expected_bytes in self.expected.items():
            off = self.segments[segment] - expected_bytes
            if abs(off) > BAR_BYTES:
                found.append(f"{segment} off by {off / MIB:.0f} MiB")
        return found

    def __str__(self) -> str:
        figures = "  ".join(f"{segment} {size / MIB:9.1f}" for segment, size in self.segments.items())
        verdict = "; ".join(self.misses) or "ok"
        return f"{self.name:22} {figures}  NVML {self.driver_bytes / MIB:9.1f}  {self.off_bytes / MIB:+7.1f}  {verdict}"


class Recorder:
    """Takes moments.

    Args:
        backend: whose parts are told.
        weight_bytes: of the model's file.
    """

    def __init__(self, backend: Backend, weight_bytes: int) -> None:
        pynvml.nvmlInit()
        self._watch = DeviceWatch()
        self._backend = backend
        self._weight_bytes = weight_bytes
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
        self._device = (
            pynvml.nvmlDeviceGetHandleByIndex(int(visible))
            if visible.isdecimal()
            else pynvml.nvmlDeviceGetHandleByUUID(visible)
        )
        self.moments: list[Moment] = []

    def take(
        self, name: str, *, loaded: bool = True, kv_tokens: int | None = None, other_bytes: int | None = None
    ) -> Moment:
        """Record one moment.

        Args:
            name: of it.
            loaded: whether the weights are there.
            kv_tokens: that the KV cache has room for, where known.
            other_bytes: of other programs, where known.
        """
        before = self.driver_bytes()
        segments = account_of(self._watch.sample(self._backend.memory_parts(), on_gpu=True)).segments
        after = self.driver_bytes()
        expected = {Segment.WEIGHTS: self._weight_bytes if loaded else 0}
        if kv_tokens is not None:
            expected[Segment.KV_CACHE] = kv_tokens * KV_TOKEN_BYTES
        if other_bytes is not None:
            expected[Segment.OTHER] = other_bytes
        moment = Moment(name, segments, (before + after) // 2, abs(after - before), expected)
        self.moments.append(moment)
        print(moment, flush=True)
        return moment

    def driver_bytes(self) -> int:
        """In use on the device, by all programs."""
        memory = pynvml.nvmlDeviceGetMemoryInfo(self._device)
        return int(memory.total - memory.free)


def record(place: Path) -> tuple[list[Moment], dict[str, float]]:
    """Run a model through its day.

    Args:
        place: for the model's folder.

    Returns:
        The moments, and figures of sampling: `samples_per_s` while a prompt was read, `core_share_at_4_hz`.
    """
    files = true_shape_folder("probe", place, SHAPE)
    backend = TransformersBackend()
    recorder = Recorder(backend, files.size_bytes)
    recorder.take("before", loaded=False)
    _load(backend, files)
    others = recorder.take("loaded").segments[Segment.OTHER]
    rates = _generate(backend, recorder, others)
    before = recorder.driver_bytes()
    with _another_process(2 * GIB):
        added = recorder.driver_bytes() - before
        recorder.take("another program", other_bytes=others + added)
    backend.unload()
    recorder.take("unloaded", loaded=False, kv_tokens=0)
    return recorder.moments, {"samples_per_s": rates, "core_share_at_4_hz": _sampling_cost(backend) * 4}


def _load(backend: Backend, files: ModelFiles) -> None:
    options = LoadOptions(context_tokens=131_072, device="cuda")
    backend.load(files, options, StepClock(), lambda stage, fraction: None)


def _generate(backend: Backend, recorder: Recorder, others: int) -> float:
    """Read a large picture and a long text, answer; returns samples a second meanwhile."""
    prompt = [
        TextPart("<|im_start|>user\n"),
        ImagePart(NoisePicture(2048, 2048, seed=1)),
        TextPart("a " * TEXT_TOKENS, parse_special=False),
        TextPart("<|im_end|>\n<|im_start|>assistant\n"),
    ]
    times_s: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=_sample_until, args=(stop, backend, times_s))
    thread.start()
    rate, tokens, prompt_tokens = 0.0, 0, 0
    for step in backend.generate(prompt, _GREEDY, 32, CancelToken(), StepClock()):
        if isinstance(step, ImageEvaluated):
            recorder.take("picture read", other_bytes=others)
        if isinstance(step, PromptProgress):
            prompt_tokens = step.total_tokens
        if isinstance(step, TokenAdded):
            tokens += 1
            if tokens == 1:
                rate = (len(times_s) - 1) / (times_s[-1] - times_s[0]) if len(times_s) > 1 else 0.0
                recorder.take("prompt read", other_bytes=others, kv_tokens=prompt_tokens)
            if tokens == 16:
                recorder.take("answering", other_bytes=others, kv_tokens=prompt_tokens)
    stop.set()
    thread.join()
    return rate


def _sample_until(stop: threading.Event, backend: Backend, times_s: list[float]) -> None:
    watch = DeviceWatch()
    while not stop.wait(0.2):
        watch.sample(backend.memory_parts(), on_gpu=True)
        times_s.append(time.perf_counter())
    watch.close()


def _sampling_cost(backend: Backend) -> float:
    """Seconds of processor time that one sample takes."""
    watch = DeviceWatch()
    watch.sample(backend.memory_parts(), on_gpu=True)
    before = time.process_time()
    for _ in range(500):
        watch.sample(backend.memory_parts(), on_gpu=True)
    watch.close()
    return (time.process_time() - before) / 500


@contextmanager
def _another_process(size_bytes: int) -> Iterator[None]:
    """Another program that takes so much of the GPU, and what its runtime needs."""
    child = subprocess.Popen(
        [sys.executable, "-c", _OTHER.format(size=size_bytes)], stdout=subprocess.PIPE, text=True
    )
    try:
        if child.stdout is None or child.stdout.readline().strip() != "here":
            raise RuntimeError("the other program did not start")
        yield
    finally:
        child.kill()
        child.wait()


def main() -> int:
    """Print the table; 1 where a row misses its bar."""
    place = Path(tempfile.gettempdir()) / "true-shapes"
    moments, figures = record(place)
    print("\n".join(str(moment) for moment in moments))
    print(json.dumps(figures))
    out = Path(os.environ.get("JOB_OUT", "build"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "probe.json").write_text(
        json.dumps(
            [
                {"name": m.name, **{str(s): b for s, b in m.segments.items()}, "nvml": m.driver_bytes}
                for m in moments
            ]
            + [figures]
        )
    )
    return 1 if any(moment.misses for moment in moments) else 0


if __name__ == "__main__":
    sys.exit(main())
