"""What a window needs of the engine; `worker.inference_worker.InferenceWorker` is one."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import SignalInstance

from desktopapp.engine.request import Attachment, ModelChoice, Request


class Worker(Protocol):
    """What the window needs of `InferenceWorker`; its signals carry the events of their names."""

    model_loading: SignalInstance
    model_ready: SignalInstance
    load_stopped: SignalInstance
    model_unloaded: SignalInstance
    request_started: SignalInstance
    attachment_read: SignalInstance
    prefill_progressed: SignalInstance
    text_added: SignalInstance
    zoomed_in: SignalInstance
    stretch_answered: SignalInstance
    routed: SignalInstance
    step_started: SignalInstance
    thought_progressed: SignalInstance
    thought_ended: SignalInstance
    finished: SignalInstance
    failed: SignalInstance
    priced: SignalInstance
    preview_read: SignalInstance
    draft_priced: SignalInstance
    planned: SignalInstance
    retrying: SignalInstance
    handed_on: SignalInstance
    memory_sampled: SignalInstance
    engine_started: SignalInstance
    engine_stopped: SignalInstance

    def start(self) -> None:
        """Start the engine; returns at once."""

    def submit(self, request: Request) -> None:
        """Ask for an answer."""

    def load_model(self, choice: ModelChoice) -> None:
        """Load a model ahead of the first question."""

    def unload_model(self) -> None:
        """Give the loaded model's memory back."""

    def cancel(self, request_id: str) -> None:
        """Stop a request."""

    def answer_now(self, request_id: str) -> None:
        """End a request's thought."""

    def price(self, attachments: tuple[Attachment, ...]) -> None:
        """Ask what attachments cost."""

    def read_previews(self, attachment: Attachment, positions: tuple[float, ...], side_px: int) -> None:
        """Ask for small pictures of a file."""

    def price_draft(self, request: Request) -> None:
        """Ask how a request would be run if it were sent now."""

    def shutdown(self) -> None:
        """End the engine and its thread."""
