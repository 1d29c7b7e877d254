"""A worker without an engine: it records what it is asked, and the test says what happens."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktopapp.app import Desktop
from desktopapp.engine.events import (
    AttachmentPrice,
    Channel,
    Failed,
    Finished,
    FinishReason,
    ModelReady,
    Priced,
    Stats,
    TextAdded,
)
from desktopapp.engine.request import Attachment, ModelChoice, Request
from desktopapp.errors import AppError


class ScriptedWorker(QObject):
    model_loading = Signal(object)
    model_ready = Signal(object)
    load_stopped = Signal(object)
    request_started = Signal(object)
    attachment_read = Signal(object)
    prefill_progressed = Signal(object)
    text_added = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    priced = Signal(object)
    preview_read = Signal(object)
    memory_sampled = Signal(object)
    cancel_acknowledged = Signal(object)
    engine_started = Signal(object)
    engine_stopped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.loads: list[ModelChoice] = []
        self.asked_previews: list[tuple[Attachment, tuple[float, ...], int]] = []
        self.cancelled: list[str] = []
        self.asked_prices: list[tuple[str, ...]] = []
        self.priced_attachments: list[tuple[Attachment, ...]] = []
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def submit(self, request: Request) -> None:
        self.requests.append(request)

    def load_model(self, choice: ModelChoice) -> None:
        self.loads.append(choice)

    def cancel(self, request_id: str) -> None:
        self.cancelled.append(request_id)

    def price(self, attachments: tuple[Attachment, ...]) -> None:
        self.priced_attachments.append(attachments)
        self.asked_prices.append(tuple(attachment.path for attachment in attachments))

    def read_previews(self, attachment: Attachment, positions: tuple[float, ...], side_px: int) -> None:
        self.asked_previews.append((attachment, positions, side_px))

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

    def finish(self, text: str, thought: str = "", reason: FinishReason = FinishReason.STOP) -> None:
        stats = Stats("llama.cpp", "only GGUF is here", "tiny", "instruct", 100, 0, 12, 0.41, 23.4, 2**30)
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


def script_of(desktop: Desktop) -> ScriptedWorker:
    """The worker that `open_desktop` put under a window."""
    worker = desktop.session.worker
    assert isinstance(worker, ScriptedWorker)
    return worker
