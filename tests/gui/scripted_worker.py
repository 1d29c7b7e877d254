"""A worker without an engine: it records what it is asked, and the test says what happens."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktopapp.app import Desktop
from desktopapp.engine.events import Channel, Failed, Finished, FinishReason, ModelReady, Stats, TextAdded
from desktopapp.engine.price_events import (
    AttachmentPrice,
    DraftPriced,
    Planned,
    PlannedAttachment,
    PlannedParts,
    PlannedPhases,
    Priced,
)
from desktopapp.engine.request import Attachment, ModelChoice, Request
from desktopapp.errors import AppError


class ScriptedWorker(QObject):
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

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.loads: list[ModelChoice] = []
        self.unloads = 0
        self.asked_previews: list[tuple[Attachment, tuple[float, ...], int]] = []
        self.cancelled: list[str] = []
        self.hurried: list[str] = []
        self.asked_prices: list[tuple[str, ...]] = []
        self.priced_attachments: list[tuple[Attachment, ...]] = []
        self.drafts: list[Request] = []
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def submit(self, request: Request) -> None:
        self.requests.append(request)

    def load_model(self, choice: ModelChoice) -> None:
        self.loads.append(choice)

    def unload_model(self) -> None:
        self.unloads += 1

    def cancel(self, request_id: str) -> None:
        self.cancelled.append(request_id)

    def price(self, attachments: tuple[Attachment, ...]) -> None:
        self.priced_attachments.append(attachments)
        self.asked_prices.append(tuple(attachment.path for attachment in attachments))

    def read_previews(self, attachment: Attachment, positions: tuple[float, ...], side_px: int) -> None:
        self.asked_previews.append((attachment, positions, side_px))

    def price_draft(self, request: Request) -> None:
        self.drafts.append(request)

    def answer_now(self, request_id: str) -> None:
        self.hurried.append(request_id)

    def shutdown(self) -> None:
        self.is_running = False

    # What the test lets happen

    def be_ready(self, *, random_weights: bool = False) -> None:
        self.model_ready.emit(
            ModelReady(
                "tiny",
                "/m/tiny",
                "llama.cpp",
                "only GGUF is here",
                "instruct",
                "Q8_0",
                "cpu",
                4096,
                0.5,
                random_weights,
            )
        )

    def say(self, text: str, channel: Channel = Channel.ANSWER) -> None:
        self.text_added.emit(TextAdded(self.requests[-1].request_id, channel, text))

    def finish(
        self, text: str, thought: str = "", reason: FinishReason = FinishReason.STOP, **figures: Any
    ) -> None:
        stats = Stats("llama.cpp", "only GGUF is here", "tiny", "instruct", 100, 0, 12, 0.41, 23.4, 2**30)
        stats = replace(stats, **figures)
        self.finished.emit(Finished(self.requests[-1].request_id, text, thought, reason, stats))

    def fail(self, error: AppError, attachment: str = "") -> None:
        self.failed.emit(Failed.from_error(self.requests[-1].request_id, error, attachment=attachment))

    def answer_prices(self, tokens: int = 300, errors: dict[str, AppError] | None = None) -> None:
        """Answer the newest question for prices."""
        prices = []
        for path in self.asked_prices[-1]:
            error = (errors or {}).get(Path(path).name)
            failed = Failed.from_error("", error, attachment=path) if error else None
            prices.append(AttachmentPrice(path, 640, 480, 0 if failed else tokens, failed))
        self.priced.emit(Priced(tuple(prices)))

    def plan(self, request: Request, *, fits: bool = True, tokens: int = 2040, **changes: Any) -> Planned:
        """A plan for a request, each attachment of so many tokens."""
        attachments = tuple(
            PlannedAttachment(attachment.path, tokens, tokens * 147_456, (1920, 1088))
            for attachment in request.turns[-1].attachments
        )
        planned = Planned(
            request_id=request.request_id,
            model="tiny",
            backend="transformers",
            precision="BF16",
            device="System memory",
            prompt_tokens=30 + tokens * len(attachments),
            answer_tokens=1024,
            context_tokens=32_768,
            parts=PlannedParts(5 * 2**30, 2**30, 2**28, 2**28, 2**29),
            phases=PlannedPhases(6 * 2**30, 7 * 2**30, 6 * 2**30),
            peak_bytes=7 * 2**30,
            limit_bytes=8 * 2**30 if fits else 6 * 2**30,
            fits=fits,
            kv_type="16bit",
            prefill_chunk=1024,
            attachments=attachments,
        )
        planned = replace(planned, **changes)
        return replace(planned, shortfall_bytes=max(0, planned.peak_bytes - planned.limit_bytes))

    def answer_draft(self, **changes: Any) -> None:
        """Answer the newest question for the price of the draft; see `plan`."""
        request = self.drafts[-1]
        self.draft_priced.emit(DraftPriced(request.request_id, self.plan(request, **changes)))


def script_of(desktop: Desktop) -> ScriptedWorker:
    """The worker that `open_desktop` put under a window."""
    worker = desktop.session.worker
    assert isinstance(worker, ScriptedWorker)
    return worker
