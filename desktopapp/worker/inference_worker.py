"""The border between Qt and the engine: commands in as calls, engine events out as signals."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktopapp.engine.backends.registry import BackendFactory, default_backends
from desktopapp.engine.events import (
    AttachmentRead,
    CancelAcknowledged,
    Failed,
    Finished,
    LoadStopped,
    ModelLoading,
    ModelReady,
    ModelUnloaded,
    PrefillProgress,
    PreviewRead,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.media_events import StretchAnswered, ZoomedIn
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import DraftPriced, MemorySample, Planned, Priced
from desktopapp.engine.reasoning_events import Routed, StepStarted, ThoughtEnded, ThoughtProgress
from desktopapp.engine.request import Attachment, ModelChoice, Request
from desktopapp.worker.engine_process import EngineProcess
from desktopapp.worker.process_events import EngineStarted, EngineStopped, HandedOn
from desktopapp.worker.watchdog import HangLimits

if TYPE_CHECKING:
    from desktopapp.worker.engine_process import ProcessEvent

_POLL_S = 0.5
_SHUTDOWN_MS = 10_000

_log = logging.getLogger(__name__)


class InferenceWorker(QObject):
    """Runs requests in the engine process. It lives in a thread of its own; its methods may be called from any.

    Every signal carries the event of the same name from `engine.events` or `worker.process_events`. Connect them
    to methods of QObjects, which then run in their own thread; a plain function would run in the worker's.

    Args:
        make_backends: picklable function that returns the backends of the child.
        limits: when a child counts as hung.
        log_dir: for what the child prints; None is the per-user folder.
    """

    model_loading = Signal(object)
    model_ready = Signal(object)
    load_stopped = Signal(object)
    model_unloaded = Signal(object)
    request_started = Signal(object)
    attachment_read = Signal(object)
    prefill_progressed = Signal(object)
    text_added = Signal(object)
    zoomed_in = Signal(object)
    stretch_answered = Signal(object)
    routed = Signal(object)
    step_started = Signal(object)
    thought_progressed = Signal(object)
    thought_ended = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    priced = Signal(object)
    preview_read = Signal(object)
    draft_priced = Signal(object)
    planned = Signal(object)
    retrying = Signal(object)
    handed_on = Signal(object)
    memory_sampled = Signal(object)
    cancel_acknowledged = Signal(object)
    engine_started = Signal(object)
    engine_stopped = Signal(object)

    def __init__(
        self,
        make_backends: BackendFactory = default_backends,
        *,
        limits: HangLimits | None = None,
        log_dir: Path | None = None,
    ) -> None:
        super().__init__()
        self._process = EngineProcess(make_backends, limits=limits, log_dir=log_dir)
        self._signals = {
            ModelLoading: self.model_loading,
            ModelReady: self.model_ready,
            LoadStopped: self.load_stopped,
            ModelUnloaded: self.model_unloaded,
            RequestStarted: self.request_started,
            AttachmentRead: self.attachment_read,
            PrefillProgress: self.prefill_progressed,
            TextAdded: self.text_added,
            ZoomedIn: self.zoomed_in,
            StretchAnswered: self.stretch_answered,
            Routed: self.routed,
            StepStarted: self.step_started,
            ThoughtProgress: self.thought_progressed,
            ThoughtEnded: self.thought_ended,
            Finished: self.finished,
            Failed: self.failed,
            Priced: self.priced,
            PreviewRead: self.preview_read,
            DraftPriced: self.draft_priced,
            Planned: self.planned,
            Retrying: self.retrying,
            HandedOn: self.handed_on,
            MemorySample: self.memory_sampled,
            CancelAcknowledged: self.cancel_acknowledged,
            EngineStarted: self.engine_started,
            EngineStopped: self.engine_stopped,
        }
        self._started = False
        self._stopping = False
        self._thread = QThread()
        self._thread.setObjectName("inference")
        self.moveToThread(self._thread)
        self._thread.started.connect(self._serve)

    def start(self) -> None:
        """Start the thread and the engine process; returns at once."""
        self._started = True
        self._process.start()
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Ask for an answer. Requests that come while one runs wait in the engine."""
        self._process.submit(request)

    def load_model(self, choice: ModelChoice) -> None:
        """Load a model ahead of the first question; a load for another choice is given up."""
        self._process.load(choice)

    def unload_model(self) -> None:
        """Give the loaded model's memory back, behind what waits already; the next question loads its own."""
        self._process.unload()

    def cancel(self, request_id: str) -> None:
        """Stop a request, waiting or running; with an empty id, a load."""
        self._process.cancel(request_id)

    def answer_now(self, request_id: str) -> None:
        """End a request's thought and let its model answer."""
        self._process.answer_now(request_id)

    def price(self, attachments: tuple[Attachment, ...]) -> None:
        """Ask what attachments cost; answered by `priced`, while a request runs as well."""
        self._process.price(attachments)

    def read_previews(self, attachment: Attachment, positions: tuple[float, ...], side_px: int) -> None:
        """Ask for small pictures of a file; answered by `preview_read`, one for each position."""
        self._process.read_previews(attachment, positions, side_px)

    def price_draft(self, request: Request) -> None:
        """Ask how a request would be run if it were sent now; answered by `draft_priced`, at any time."""
        self._process.price_draft(request)

    def shutdown(self) -> None:
        """End the engine process and the thread, within a few seconds whatever they do. Not from a slot of it."""
        self._stopping = True
        self._process.wake()
        self._thread.quit()
        if not self._started:
            self._process.close()
        elif not self._thread.wait(_SHUTDOWN_MS):
            _log.error("the inference thread does not end")

    @Slot()
    def _serve(self) -> None:
        """Turn events into signals until `shutdown`; the thread's only work."""
        try:
            while not self._stopping:
                for event in self._process.poll(_POLL_S):
                    self._tell(event)
        finally:
            self._process.close()

    def _tell(self, event: ProcessEvent) -> None:
        signal = self._signals.get(type(event))
        if signal is not None:
            signal.emit(event)
