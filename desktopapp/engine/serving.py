"""The engine process at work: one thread computes, one listens, one prices attachments, one samples memory.

The listening thread never waits for the others, so that it hears Stop and shows that it is alive while a chunk
or a picture is being computed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.collaborators import ModelStore
from desktopapp.engine.commands import (
    AnswerNow,
    Cancel,
    Command,
    Generate,
    LoadModel,
    PriceAttachments,
    PriceDraft,
    ReadPreviews,
    Shutdown,
    UnloadModel,
)
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import CancelAcknowledged, Event, Heartbeat, ModelUnloaded
from desktopapp.engine.host import WORK_MARK
from desktopapp.engine.memory.probe import DeviceWatch
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import DraftPriced, Priced
from desktopapp.engine.request import ModelChoice
from desktopapp.engine.steps import StepClock
from desktopapp.engine.wire import decode_command, encode_event

HEARTBEAT_PERIOD_S = 0.5
MEMORY_PERIOD_S = 0.2
"""Between two samples while something is computed; the gauge then moves with the prompt that is read."""
IDLE_MEMORY_PERIOD_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """Something for the computing thread, with the token that ends it."""

    command: LoadModel | Generate | UnloadModel
    cancel: CancelToken = field(default_factory=CancelToken)


class EngineServer:
    """Connects an `Engine` to the pipe.

    Args:
        commands: is read.
        events: is written.
        store: finds models.
        make_backends: returns what the engine can run on.
    """

    def __init__(
        self, commands: Connection, events: Connection, store: ModelStore, make_backends: BackendFactory
    ) -> None:
        self._commands = commands
        self._events = events
        self._sending = threading.Lock()
        self._steps = StepClock()
        self._engine = Engine(store, make_backends(), self._steps, RequestPlanner(store))
        self._work: SimpleQueue[Work] = SimpleQueue()
        self._to_preview: SimpleQueue[ReadPreviews] = SimpleQueue()
        self._to_price: SimpleQueue[PriceAttachments | PriceDraft] = SimpleQueue()
        self._newest_draft: PriceDraft | None = None
        self._pending_lock = threading.Lock()
        self._pending: list[Work] = []
        """What waits or runs, oldest first."""
        self._busy = threading.Event()
        """Set while there is any."""

    def run(self) -> None:
        """Serve for ever, computing in this thread; the listening thread ends the process."""
        for target in (self._listen, self._price_all, self._preview_all, self._sample_memory):
            threading.Thread(target=_or_end, args=(target,), name=target.__name__, daemon=True).start()
        _or_end(self._compute_all)

    def _compute_all(self) -> None:
        while True:
            work = self._work.get()
            _mark_log(f"{type(work.command).__name__} begins")
            self._compute(work)
            _mark_log(f"{type(work.command).__name__} ends")
            with self._pending_lock:
                self._pending.remove(work)
                if not self._pending:
                    self._busy.clear()

    def _compute(self, work: Work) -> None:
        if isinstance(work.command, UnloadModel):
            self._engine.unload()
            self._send(ModelUnloaded())
        elif isinstance(work.command, LoadModel):
            self._send_all(self._engine.load(work.command.choice, work.cancel))
        else:
            self._send_all(self._engine.generate(work.command.request, work.cancel))

    def _send_all(self, events: Iterator[Event]) -> None:
        for event in events:
            self._send(event)

    def _send(self, event: Event) -> None:
        data = encode_event(event)
        with self._sending:
            self._events.send_bytes(data)

    def _listen(self) -> None:
        heartbeat_s = time.monotonic()
        while True:
            wait_s = heartbeat_s - time.monotonic()
            if wait_s > 0:
                if self._commands.poll(wait_s):
                    self._obey(decode_command(self._commands.recv_bytes()))
                continue
            state = self._steps.read()
            self._send(Heartbeat(state.step, state.elapsed_s, state.estimate_s))
            heartbeat_s = time.monotonic() + HEARTBEAT_PERIOD_S

    def _obey(self, command: Command) -> None:
        if isinstance(command, Shutdown):
            os._exit(0)  # memory goes back to the system fastest this way, the GPU's as well
        if isinstance(command, PriceAttachments | PriceDraft):
            if isinstance(command, PriceDraft):
                self._newest_draft = command
            self._to_price.put(command)
        elif isinstance(command, ReadPreviews):
            self._to_preview.put(command)
        elif isinstance(command, Cancel):
            for work in self._requests(command.request_id):
                work.cancel.cancel()
            self._send(CancelAcknowledged(command.request_id))
        elif isinstance(command, AnswerNow):
            for work in self._requests(command.request_id):
                work.cancel.ask_for_answer()
        elif isinstance(command, LoadModel | Generate | UnloadModel):
            self._take_up(Work(command))

    def _take_up(self, work: Work) -> None:
        choice = _choice(work.command)
        with self._pending_lock:
            for other in self._pending:
                if isinstance(other.command, LoadModel) and other.command.choice != choice:
                    other.cancel.cancel()  # nobody waits for that model any more
            self._pending.append(work)
            self._busy.set()
        self._work.put(work)

    def _requests(self, request_id: str) -> list[Work]:
        """What waits or runs for a request; with an empty id the loads."""
        with self._pending_lock:
            return [work for work in self._pending if _request_id(work.command) == request_id]

    def _price_all(self) -> None:
        while True:
            command = self._to_price.get()
            if isinstance(command, PriceAttachments):
                self._send(Priced(self._engine.price(command.attachments)))
            elif command is self._newest_draft:
                planned = self._engine.price_draft(command.request)
                self._send(DraftPriced(command.request.request_id, planned))

    def _preview_all(self) -> None:
        from desktopapp.engine.media.preview import read_previews

        while True:
            command = self._to_preview.get()
            try:
                self._send_all(read_previews(command.attachment, command.positions, command.side_px))
            except Exception as error:  # noqa: BLE001 - a bad file has no preview; its price says why
                _mark_log(f"no preview of a file: {type(error).__name__}")

    def _sample_memory(self) -> None:
        watch = DeviceWatch()
        while True:
            self._send(self._engine.sample_memory(watch))
            # Returns early when work begins.
            self._busy.wait(IDLE_MEMORY_PERIOD_S)
            if self._busy.is_set():
                time.sleep(MEMORY_PERIOD_S)


def _mark_log(words: str) -> None:
    """Divide the log, so that the window's process finds the reason of a death and no older message.

    Written here, in the order of everything else that this process prints: the other side would be too late.
    """
    print(f"{WORK_MARK}{words}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is the log


def _request_id(command: Command) -> str:
    return command.request.request_id if isinstance(command, Generate) else ""


def _choice(command: Command) -> ModelChoice | None:
    if isinstance(command, LoadModel):
        return command.choice
    return command.request.choice if isinstance(command, Generate) else None


def _or_end(body: Callable[[], None]) -> None:
    """Run a thread's body; a process that has lost one of its threads is of no use, so it ends."""
    try:
        body()
    except (EOFError, OSError):
        os._exit(0)  # the pipe is closed: the window's process is gone
    except BaseException:  # noqa: BLE001 - whatever it is, the log has it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
