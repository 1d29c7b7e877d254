"""Backends that go wrong inside the real engine process, each at a chosen point.

`fast`, `slow`, `gated` and `faulty` (the latter with `functools.partial`) are backend factories for `EngineProcess`.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from desktopapp.engine.backend import (
    DEFAULT_RUN,
    GenerationStep,
    LoadedModel,
    LoadOptions,
    LoadProgress,
    RunOptions,
    TokenAdded,
)
from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.backends.registry import Backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.prompt_parts import PromptPart
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.sampling import SamplingParameters
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import ModelFiles


def fast() -> Backends:
    """No fault, no waiting."""
    return {BackendChoice.FAKE: lambda: FakeBackend(tokens_per_s=None, prefill_tokens_per_s=None)}


def slow() -> Backends:
    """No fault, and time to do something meanwhile: a second to load, a long answer."""
    return {BackendChoice.FAKE: lambda: FakeBackend(50.0, 1_000.0, load_s=1.0, paragraphs=200)}


def endless() -> Backends:
    """No fault, no waiting before the first word, and an answer of many minutes."""
    return {BackendChoice.FAKE: lambda: FakeBackend(30.0, paragraphs=1000)}


def on_gpu() -> Backends:
    """No fault, no waiting, and a model that says that it lies on a GPU."""

    class OnGpu(FakeBackend):
        def load(
            self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
        ) -> LoadedModel:
            return replace(super().load(files, options, steps, progress), device="cuda:0")

    return {BackendChoice.FAKE: lambda: OnGpu(tokens_per_s=None, prefill_tokens_per_s=None)}


def gated(gate: str) -> Backends:
    """As `slow`, but a process takes nothing up while this file is, and ends at once where it says so."""
    while True:
        try:
            says = Path(gate).read_text()
        except FileNotFoundError:
            return slow()
        if says == "closed":
            os._exit(9)
        time.sleep(0.01)


def noisy() -> Backends:
    """Prints while it loads, as native libraries do."""

    class Noisy(FakeBackend):
        def load(
            self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
        ) -> LoadedModel:
            os.write(1, b"native noise")
            print("python noise")
            return super().load(files, options, steps, progress)

    return {BackendChoice.FAKE: Noisy}


def faulty(fault: str, point: str, marker: str = "") -> Backends:
    """One fault.

    Args:
        fault: name of a function in `FAULTS`.
        point: where it happens: `load`, `prefill`, or `decode`.
        marker: path of a file that is made when the fault happens; it does not happen again where the file
            is. Empty for a fault that happens every time.
    """

    def happen() -> None:
        if marker and Path(marker).exists():
            return
        if marker:
            Path(marker).touch()
        FAULTS[fault]()

    return {BackendChoice.FAKE: lambda: FaultyBackend(point, happen)}


class FaultyBackend(FakeBackend):
    """The fake backend with a fault built in."""

    def __init__(self, point: str, happen: Callable[[], None]) -> None:
        super().__init__(tokens_per_s=None, prefill_tokens_per_s=None)
        self._point = point
        self._happen = happen

    def load(
        self, files: ModelFiles, options: LoadOptions, steps: StepClock, progress: LoadProgress
    ) -> LoadedModel:
        if self._point == "load":
            progress("weights", 0.1)
            with steps.step("load", 1.0, initial_rate=100.0):
                self._happen()
        return super().load(files, options, steps, progress)

    def generate(
        self,
        prompt: Sequence[PromptPart],
        sampling: SamplingParameters,
        max_new_tokens: int,
        cancel: CancelToken,
        steps: StepClock,
        options: RunOptions = DEFAULT_RUN,
    ) -> Iterator[GenerationStep]:
        if self._point == "prefill":
            with steps.step("prefill", 1.0, initial_rate=100.0):
                self._happen()
        tokens = 0
        for step in super().generate(prompt, sampling, max_new_tokens, cancel, steps, options):
            yield step
            tokens += isinstance(step, TokenAdded)
            if self._point == "decode" and tokens == 5:
                with steps.step("decode", 1.0, initial_rate=100.0):
                    self._happen()


def _print_out_of_memory() -> None:
    print(
        "ggml_backend_cuda_buffer: allocating 900 MiB on device 0: cudaMalloc failed: out of memory",
        file=sys.stderr,
    )
    os.abort()


def _hold_gil() -> None:
    if sys.platform == "win32":
        ctypes.PyDLL("kernel32").Sleep(3_600_000)
    else:
        nothing_comes, _kept_open = os.pipe()
        ctypes.PyDLL(None).read(nothing_comes, ctypes.create_string_buffer(1), 1)


def _write_garbage(data: bytes) -> None:
    pipes = (o for o in gc.get_objects() if isinstance(o, Connection) and o.writable)
    os.write(next(pipes).fileno(), data)
    time.sleep(3600)


def _raise() -> None:
    raise ZeroDivisionError("a defect for the test")


FAULTS: dict[str, Callable[[], None]] = {
    "abort": os.abort,
    "segfault": faulthandler._sigsegv,
    "exit": partial(os._exit, 7),
    "wait": partial(time.sleep, 3600),
    "hold_gil": _hold_gil,
    "garbage": partial(_write_garbage, b"this is no message"),
    "wrong_json": partial(_write_garbage, b"\0\0\0\2{}"),
    "half_message": partial(_write_garbage, b"\0\0\1\0{"),
    "out_of_memory": _print_out_of_memory,
    "raise": _raise,
}
