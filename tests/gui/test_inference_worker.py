"""The worker in its thread, with the fake backend in a real engine process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest
from PIL import Image
from PySide6.QtCore import QObject, QThread, Slot
from pytestqt.qtbot import QtBot

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.events import (
    CancelAcknowledged,
    Failed,
    Finished,
    FinishReason,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.price_events import DraftPriced, MemorySample, Priced
from desktopapp.engine.request import Attachment, MemoryLimits, ModelChoice, Request, Role, Turn
from desktopapp.worker.inference_worker import InferenceWorker
from desktopapp.worker.process_events import EngineStarted, EngineStopped
from tests.engine_client import FAKE, PATIENCE_S, question
from tests.faulty_backends import fast, faulty, slow

T = TypeVar("T")
PATIENCE_MS = int(PATIENCE_S * 1000)
SIGNALS = (
    "model_loading",
    "model_ready",
    "load_stopped",
    "request_started",
    "attachment_read",
    "prefill_progressed",
    "text_added",
    "finished",
    "failed",
    "priced",
    "draft_priced",
    "planned",
    "memory_sampled",
    "cancel_acknowledged",
    "engine_started",
    "engine_stopped",
)


class Listener(QObject):
    """A worker, and what its signals brought to this thread.

    pytest-qt's `waitSignal` connects a plain callable, which would run in the worker's thread.
    """

    def __init__(self, qtbot: QtBot, make_backends: BackendFactory, log_dir: Path) -> None:
        super().__init__()
        self.events: list[object] = []
        self.threads: set[QThread] = set()
        self._qtbot = qtbot
        self.worker = InferenceWorker(make_backends, log_dir=log_dir)
        for name in SIGNALS:
            getattr(self.worker, name).connect(self.on_event)
        self.worker.start()

    @Slot(object)
    def on_event(self, event: object) -> None:
        self.events.append(event)
        self.threads.add(QThread.currentThread())

    def all(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(is_so, timeout=PATIENCE_MS)

    def wait_for(self, kind: type[T], count: int = 1) -> T:
        self._qtbot.waitUntil(lambda: len(self.all(kind)) >= count, timeout=PATIENCE_MS)
        return self.all(kind)[count - 1]


ListenTo: TypeAlias = Callable[[BackendFactory], Listener]


@pytest.fixture
def listen_to(qtbot: QtBot, tmp_path: Path) -> Iterator[ListenTo]:
    listeners: list[Listener] = []

    def listen(make_backends: BackendFactory) -> Listener:
        listeners.append(Listener(qtbot, make_backends, tmp_path))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.worker.shutdown()


def test_every_stage_is_a_signal(listen_to: ListenTo) -> None:
    listener = listen_to(fast)
    listener.worker.submit(question("r"))
    for kind in (
        EngineStarted,
        RequestStarted,
        ModelLoading,
        ModelReady,
        PrefillProgress,
        TextAdded,
        MemorySample,
    ):
        listener.wait_for(kind)
    end = listener.wait_for(Finished)
    assert "".join(event.text for event in listener.all(TextAdded)) == end.text
    assert listener.threads == {QThread.currentThread()}


def test_stop(listen_to: ListenTo) -> None:
    listener = listen_to(slow)
    listener.worker.submit(question("r"))
    listener.wait_for(TextAdded)
    listener.worker.cancel("r")
    assert listener.wait_for(CancelAcknowledged).request_id == "r"
    assert listener.wait_for(Finished).finish_reason is FinishReason.CANCELLED


def test_load_and_price(listen_to: ListenTo) -> None:
    listener = listen_to(fast)
    listener.worker.load_model(FAKE)
    listener.worker.price((Attachment("/no/such.png"),))
    assert listener.wait_for(ModelReady).model == "fake"
    (price,) = listener.wait_for(Priced).prices
    assert price.failed is not None


def test_of_many_drafts_the_newest_is_priced(
    listen_to: ListenTo, random_folder: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (640, 480)).save(picture)
    listener = listen_to(fast)
    turns = (Turn(Role.USER, "What is it?", (Attachment(str(picture)),)),)
    for number in range(200):
        choice = ModelChoice(str(random_folder), memory=MemoryLimits(image_max_tokens=100))
        listener.worker.price_draft(Request(f"draft-{number}", choice, turns))
    listener.wait_until(lambda: any(one.request_id == "draft-199" for one in listener.all(DraftPriced)))
    priced = listener.all(DraftPriced)
    assert len(priced) < 200
    planned = priced[-1].planned
    assert planned is not None
    assert [(one.path, one.tokens <= 100, one.bytes > 0) for one in planned.attachments] == [
        (str(picture), True, True)
    ]


def test_a_crash_is_a_signal_and_the_next_request_works(listen_to: ListenTo, tmp_path: Path) -> None:
    listener = listen_to(partial(faulty, "abort", "decode", str(tmp_path / "once")))
    listener.worker.submit(question("r"))
    assert listener.wait_for(Failed).error == "EngineDied"
    assert listener.wait_for(EngineStopped).starts_again
    listener.worker.submit(question("again"))
    assert listener.wait_for(Finished).request_id == "again"


def test_methods_may_be_called_from_any_thread(listen_to: ListenTo) -> None:
    listener = listen_to(fast)
    callers = [threading.Thread(target=listener.worker.submit, args=(question(f"r{n}"),)) for n in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    listener.wait_for(Finished, count=8)
    assert {event.request_id for event in listener.all(Finished)} == {f"r{n}" for n in range(8)}


def test_shutdown_twice_and_without_a_start(tmp_path: Path) -> None:
    never_started = InferenceWorker(fast, log_dir=tmp_path)
    never_started.shutdown()
    worker = InferenceWorker(fast, log_dir=tmp_path)
    worker.start()
    worker.shutdown()
    worker.shutdown()
    worker.submit(question("too late"))


def test_the_windows_process_imports_nothing_heavy() -> None:
    code = """
import sys
import desktopapp.worker.inference_worker
heavy = {"numpy", "torch", "llama_cpp", "transformers", "PIL", "cv2", "PySide6.QtGui", "PySide6.QtWidgets"}
print(sorted(heavy & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
