"""Load a model while its progress is told: the load runs in a thread, its events come out of an iterator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from queue import SimpleQueue

from desktopapp.engine.backend import Backend, LoadedModel, LoadOptions
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.events import Event, ModelLoading, ModelReady
from desktopapp.engine.request import BackendChoice
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore.model import InstalledModel, ModelFiles

# Importing torch or llama.cpp reads up to gigabytes of libraries, from a cold and slow disk at first.
_IMPORT_ESTIMATE_S = 20.0
_GIVE_UP_S = 2.0
_TELL_PERIOD_S = 0.05


@dataclass(frozen=True, slots=True)
class RunningModel:
    """A loaded model with everything the engine asks of it."""

    model: InstalledModel
    files: ModelFiles
    choice: BackendChoice
    backend: Backend
    options: LoadOptions
    facts: LoadedModel
    ready: ModelReady


class Loading:
    """One load. Iterate `events` to its end, then read `result`.

    Args:
        model: what to load.
        files: which form of it.
        choice: the backend that runs it.
        reason: why that backend.
        options: how to load.
        make_backend: imports the backend's libraries and makes it.
    """

    def __init__(
        self,
        model: InstalledModel,
        files: ModelFiles,
        choice: BackendChoice,
        reason: str,
        options: LoadOptions,
        make_backend: Callable[[], Backend],
    ) -> None:
        self._model = model
        self._files = files
        self._choice = choice
        self._reason = reason
        self._options = options
        self._make_backend = make_backend
        self._queue: SimpleQueue[Event | None] = SimpleQueue()
        self._abandoned = threading.Event()
        self._backend: Backend | None = None
        self._failure: BaseException | None = None
        self._told_stage = ""
        self._told_s = 0.0
        self.result: RunningModel | None = None

    @property
    def backend(self) -> Backend | None:
        """What loads; None until its libraries are there."""
        return self._backend

    def events(self, steps: StepClock, cancel: CancelToken) -> Generator[Event, None, None]:
        """Load, telling each stage; ends with ModelReady.

        Raises:
            Cancelled: the token was set; nothing stays loaded.
            AppError: what the backend raises; nothing stays loaded.
        """
        yield self._loading("import", 0.0)
        thread = threading.Thread(target=self._work, args=(steps, cancel), name="load", daemon=True)
        thread.start()
        try:
            while (event := self._queue.get()) is not None:
                yield event
        finally:
            # Left early (the iterator was closed, Ctrl-C): the load ends at its next stage by itself.
            self._abandoned.set()
            thread.join(_GIVE_UP_S)
        failure, self._failure = self._failure, None
        if failure is not None:
            try:
                # Some libraries report a progress callback's refusal as an error of their own.
                raise Cancelled if cancel.cancelled else failure
            finally:
                del failure  # its traceback holds half a model, and would hold itself
        if self.result is not None:
            yield self.result.ready

    def _work(self, steps: StepClock, cancel: CancelToken) -> None:
        try:
            self.result = self._load(steps, cancel)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._failure = error
            if self._backend is not None:
                self._backend.unload()
        finally:
            self._queue.put(None)

    def _load(self, steps: StepClock, cancel: CancelToken) -> RunningModel:
        began_s = time.perf_counter()

        def leave_if_unwanted() -> None:
            cancel.raise_if_cancelled()
            if self._abandoned.is_set():
                raise Cancelled

        def tell(stage: str, fraction: float | None) -> None:
            leave_if_unwanted()
            self._tell(stage, fraction)

        with steps.step("import", 1.0, initial_rate=1 / _IMPORT_ESTIMATE_S):
            self._backend = self._make_backend()
        leave_if_unwanted()
        facts = self._backend.load(self._files, self._options, steps, tell)
        leave_if_unwanted()
        ready = self._describe(facts, time.perf_counter() - began_s)
        return RunningModel(
            self._model, self._files, self._choice, self._backend, self._options, facts, ready
        )

    def _tell(self, stage: str, fraction: float | None) -> None:
        """Pass progress on, but not the thousands of tensors that some libraries report one by one."""
        now_s = time.monotonic()
        if stage == self._told_stage and now_s - self._told_s < _TELL_PERIOD_S:
            return
        self._told_stage, self._told_s = stage, now_s
        self._queue.put(self._loading(stage, fraction))

    def _loading(self, stage: str, fraction: float | None) -> ModelLoading:
        return ModelLoading(self._model.name, self._choice.value, stage, fraction)

    def _describe(self, facts: LoadedModel, load_s: float) -> ModelReady:
        return ModelReady(
            model=self._model.name,
            path=str(self._files.path),
            backend=self._choice.value,
            reason=self._reason,
            kind=self._model.kind.value,
            precision=facts.precision,
            device=facts.device,
            context_tokens=facts.context_tokens,
            load_s=load_s,
            random_weights=self._model.random_weights,
        )
