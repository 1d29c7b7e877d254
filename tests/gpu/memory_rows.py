"""Combinations of model, prompt, KV type and chunk; what the plan says of each and what the device says."""

from __future__ import annotations

import gc
import os
import time
from dataclasses import dataclass
from typing import Any

import pynvml
import torch

from desktopapp.engine.backend import Backend, GenerationStep, ImageEvaluated, PromptProgress, RunOptions
from desktopapp.engine.backends.transformers import TransformersBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.memory.calibration import UNCALIBRATED, Corrections
from desktopapp.engine.memory.candidate import Candidate, Placement
from desktopapp.engine.memory.costs import Estimate, RunShape, estimate
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.model_spec import read_spec
from desktopapp.engine.memory.workload import Picture, Workload
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, TokensPart
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles
from tests.contract.generation import GREEDY
from tests.pictures import NoisePicture

SCREEN = (1920, 1088)
PAGE = (1248, 1760)
NEW_TOKENS = 8
_CELL_PIXELS = 32 * 32
_TEXT_TOKEN = 300
# Opening and closing of the turn in the test's tokenizer, and the two tokens around each picture.
_AROUND = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One combination.

    Args:
        size: of the model, `2B` or `4B`.
        images: pictures in front of the text.
        picture: their (width, height).
        text_tokens: behind them.
        kv_type: numbers in the KV cache.
        chunk: prompt tokens at once.
    """

    size: str
    images: int
    picture: tuple[int, int]
    text_tokens: int
    kv_type: str
    chunk: int

    @property
    def workload(self) -> Workload:
        """As the planner sees it."""
        tokens = self.picture[0] * self.picture[1] // _CELL_PIXELS
        picture = Picture(tokens, 4 * tokens)
        before: list[int | Picture] = [_AROUND, picture]
        return Workload((*before * self.images, self.text_tokens), NEW_TOKENS)

    @property
    def run(self) -> RunShape:
        """As the planner sees it."""
        return RunShape(self.kv_type, self.chunk)

    def prompt(self) -> list[PromptPart]:
        """For the backend."""
        pictures = [ImagePart(NoisePicture(*self.picture, seed=n)) for n in range(self.images)]
        words = (_TEXT_TOKEN,) * self.text_tokens
        return [*pictures, TokensPart(words)] if words else [*pictures, TextPart("?")]

    def __str__(self) -> str:
        tokens = self.workload.prompt_tokens
        return f"{self.size} {self.images:3} img {tokens:7} tok {self.kv_type:>8} chunk {self.chunk:4}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the device said of one run, in bytes.

    Args:
        vision: allocated at most while pictures were read.
        prefill: while the prompt was read.
        decode: while the answer was written.
        reserved: held by the allocator at most.
        device: used by this process at most, as the driver counts between steps, the runtime's context included.
        added: by all processes since this one began, at the end.
        seconds: that the run took.
        complete: it was not stopped for lack of time.
    """

    vision: int
    prefill: int
    decode: int
    reserved: int
    device: int
    added: int
    seconds: float
    complete: bool

    @property
    def allocated(self) -> int:
        """At most, in all phases."""
        return max(self.vision, self.prefill, self.decode)


def rows(size: str, *, least_tokens: int = 0, most_tokens: int = 1 << 30) -> list[Row]:
    """The combinations for a model."""
    every = [
        Row(size, 0, SCREEN, 2_048, "16bit", 2048),
        Row(size, 0, SCREEN, 2_048, "16bit", 256),
        Row(size, 1, SCREEN, 32, "16bit", 2048),
        Row(size, 1, SCREEN, 8_192, "16bit", 1024),
        Row(size, 1, SCREEN, 8_192, "int8", 2048),
        Row(size, 4, PAGE, 512, "fp8_e4m3", 512),
        Row(size, 10, SCREEN, 12_000, "16bit", 2048),
        Row(size, 10, SCREEN, 12_000, "int4", 1024),
        Row(size, 0, SCREEN, 32_768, "fp8_e5m2", 1024),
        Row(size, 10, SCREEN, 32_768, "16bit", 2048),
        Row(size, 10, SCREEN, 32_768, "int8", 2048),
        Row(size, 0, SCREEN, 65_536, "int4", 2048),
        Row(size, 0, SCREEN, 131_072, "int8", 2048),
        Row(size, 100, PAGE, 64, "int8", 2048),
        Row(size, 100, PAGE, 64, "int4", 2048),
    ]
    return [row for row in every if least_tokens <= row.workload.prompt_tokens <= most_tokens]


def teaching_rows(size: str) -> list[Row]:
    """What the constants are learnt from; none of them is judged."""
    return [
        Row(size, 0, SCREEN, 1_200, "16bit", 2048),
        Row(size, 1, PAGE, 600, "16bit", 2048),
        Row(size, 2, SCREEN, 4_000, "int8", 1024),
    ]


def candidate(files: ModelFiles, size: str, corrections: Corrections = UNCALIBRATED) -> Candidate:
    """The model on this machine's GPU."""
    total = torch.cuda.get_device_properties(0).total_memory
    return Candidate(
        model=size,
        backend=BackendChoice.TRANSFORMERS,
        files=files,
        spec=read_spec(files),
        device=Device(torch.cuda.get_device_name(0), True, total, total),
        capabilities=TransformersBackend.capabilities,
        corrections=corrections,
    )


def predict(row: Row, model: Candidate) -> Estimate:
    """What the plan says."""
    return estimate(model.costs(Placement()), row.workload, row.run)


class DeviceMemory:
    """What this process uses of the GPU that CUDA calls number 0, as the driver counts it.

    The driver's figure for this process; where it tells none, all that is used less what was before.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._before = self._used()

    @classmethod
    def open(cls) -> DeviceMemory:
        """Before CUDA is used for the first time."""
        pynvml.nvmlInit()
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip() or "0"
        if visible.isdecimal():
            return cls(pynvml.nvmlDeviceGetHandleByIndex(int(visible)))
        return cls(pynvml.nvmlDeviceGetHandleByUUID(visible))

    def used_bytes(self) -> int:
        """By this process."""
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
        own = sum(int(one.usedGpuMemory or 0) for one in processes if one.pid == os.getpid())
        return own or self.added_bytes()

    def added_bytes(self) -> int:
        """By all processes since this one began."""
        return self._used() - self._before

    def _used(self) -> int:
        return int(pynvml.nvmlDeviceGetMemoryInfo(self._handle).used)


def measure(backend: Backend, row: Row, device: DeviceMemory, limit_s: float) -> Measured:
    """Run a row and read the peaks of its phases."""
    forget(backend)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    cancel, began = CancelToken(), time.monotonic()
    options = RunOptions(row.kv_type, row.chunk, row.workload.total_tokens + 1)
    peaks = {"vision": 0, "prefill": 0, "decode": 0}
    reserved, used, complete = 0, 0, True
    steps = backend.generate(row.prompt(), GREEDY, NEW_TOKENS, cancel, StepClock(), options)
    for step in steps:
        phase = _phase(step)
        peaks[phase] = max(peaks[phase], torch.cuda.max_memory_allocated())
        reserved = max(reserved, torch.cuda.max_memory_reserved())
        torch.cuda.reset_peak_memory_stats()
        used = max(used, device.used_bytes())
        if time.monotonic() - began > limit_s:
            complete = False
            break
    added = device.added_bytes()
    del steps
    return Measured(
        peaks["vision"],
        peaks["prefill"],
        peaks["decode"],
        reserved,
        used,
        added,
        time.monotonic() - began,
        complete,
    )


def forget(backend: Backend) -> None:
    """Drop conversations of earlier runs, whose cache this one must not go on from."""
    loaded = getattr(backend, "_loaded", None)
    if loaded is not None:
        loaded.conversations.clear()
    gc.collect()


def _phase(step: GenerationStep) -> str:
    if isinstance(step, ImageEvaluated):
        return "vision"
    return "prefill" if isinstance(step, PromptProgress) else "decode"
