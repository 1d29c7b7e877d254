"""The window's side of the engine process: starts it, talks to it, notices when it is gone or hung.

Nothing that the child does reaches further than here: whatever happens to it becomes events.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeAlias

from desktopapp.engine.backends.registry import BackendFactory, default_backends
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
from desktopapp.engine.events import Event, Failed, Finished, Heartbeat, ModelReady, ModelUnloaded
from desktopapp.engine.request import Attachment, ModelChoice, Request
from desktopapp.engine.wire import WireError, decode_event, encode_command
from desktopapp.errors import AppError, EngineDied, EngineGarbled, EngineHung, LogFolderUnwritable
from desktopapp.paths import logs_dir
from desktopapp.worker.engine_child import EngineChild
from desktopapp.worker.jobs import LOADING, STARTING, Jobs, failed_prices
from desktopapp.worker.ladder import Ladder
from desktopapp.worker.post_mortem import Death, count_memory_kills, read_tail
from desktopapp.worker.process_events import EngineStarted, EngineStopped, HandedOn
from desktopapp.worker.watchdog import HangLimits, Watchdog

SHUTDOWN_S = 2.0
_LOOK_S = 0.25
_LOGS_KEPT = 10
_GAP_S = 3.0
_IDLE = "waiting for a request"
_PROCESSOR = "cpu"

ProcessEvent: TypeAlias = Event | EngineStarted | EngineStopped


class EngineProcess:
    """A client of the engine process.

    Commands may come from any thread. `poll` and `close` belong to one thread, the owner, which does
    everything else: it starts the child when the first command comes, and once more by itself after a crash.
    When that one also ends before it has done anything, it stays down until the next command. What a child had
    not taken up when it ended goes to the next one, once. A child that had a model on a GPU is exchanged for
    another one when it was unloaded and nothing waits: the GPU's runtime keeps memory for as long as its process lives.

    Args:
        make_backends: picklable function that returns the backends of the child.
        limits: when a child counts as hung.
        log_dir: for the files with what the child prints; None is the per-user folder.
    """

    def __init__(
        self,
        make_backends: BackendFactory = default_backends,
        *,
        limits: HangLimits | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self._make_backends = make_backends
        self._limits = limits or HangLimits()
        self._log_dir = log_dir or logs_dir()
        self._inbox: deque[Command | None] = deque()
        self._wake_lock = threading.Lock()
        self._wake_reader, self._wake_writer = multiprocessing.Pipe(duplex=False)
        self._awake = False
        self._closed = False
        self._child: EngineChild | None = None
        self._watchdog = Watchdog(self._limits, 0.0)
        self._jobs = Jobs()
        self._ladder = Ladder()
        self._starts = 0
        self._used_gpu = self._is_spent = False
        self._may_restart = True
        self._memory_kills = 0
        self._looked_s = time.monotonic()

    # Any thread.

    def start(self) -> None:
        """Start the child ahead of the first command."""
        self._put(None)

    def submit(self, request: Request) -> None:
        """Ask for an answer."""
        self._put(Generate(request))

    def load(self, choice: ModelChoice) -> None:
        """Load a model ahead of the first question."""
        self._put(LoadModel(choice))

    def unload(self) -> None:
        """Give the model's memory back, behind what waits already."""
        self._put(UnloadModel())

    def cancel(self, request_id: str) -> None:
        """Stop a request; with an empty id, a load."""
        self._put(Cancel(request_id))

    def answer_now(self, request_id: str) -> None:
        """End a request's thought; its model answers."""
        self._put(AnswerNow(request_id))

    def price(self, attachments: tuple[Attachment, ...]) -> None:
        """Ask what attachments cost."""
        self._put(PriceAttachments(attachments))

    def read_previews(self, attachment: Attachment, positions: tuple[float, ...], side_px: int) -> None:
        """Ask for small pictures of a file."""
        self._put(ReadPreviews(attachment, positions, side_px))

    def price_draft(self, request: Request) -> None:
        """Ask how a request would be run if it were sent now."""
        self._put(PriceDraft(request))

    def wake(self) -> None:
        """Make a waiting `poll` look at once."""
        with self._wake_lock:
            if not self._awake and not self._closed:
                self._awake = True
                self._wake_writer.send_bytes(b"!")

    # The owner's thread.

    @property
    def process_id(self) -> int | None:
        """Of the child, while it runs."""
        return self._child.process.pid if self._child is not None else None

    def poll(self, timeout_s: float) -> list[ProcessEvent]:
        """What happened; waits until something did or the time is up."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            events = self._look()
            left_s = deadline_s - time.monotonic()
            if events or left_s <= 0:
                return events
            if self._wait(min(left_s, _LOOK_S)):
                return self._look()

    def close(self) -> None:
        """End the child within a few seconds, politely or not. Nothing can be asked afterwards."""
        child, self._child = self._child, None
        if child is not None:
            child.send(encode_command(Shutdown()))
            child.end(SHUTDOWN_S)
        with self._wake_lock:
            if self._closed:
                return
            self._closed = True
            self._wake_writer.close()
            self._wake_reader.close()

    def _put(self, command: Command | None) -> None:
        self._inbox.append(command)
        self.wake()

    def _wait(self, timeout_s: float) -> bool:
        """Sleep until woken, the child's end, or the time is up; True when woken."""
        waited: list[Any] = [self._wake_reader]
        if self._child is not None:
            waited.append(self._child.process.sentinel)
        ready = wait(waited, timeout_s)
        if self._wake_reader in ready:
            with self._wake_lock:
                self._wake_reader.recv_bytes()
                self._awake = False
        return bool(ready)

    def _look(self) -> list[ProcessEvent]:
        now_s = time.monotonic()
        if now_s - self._looked_s > _GAP_S:
            self._watchdog.forgive(now_s - self._looked_s)
        self._looked_s = now_s
        events: list[ProcessEvent] = []
        if self._child is not None:
            events += self._attend(self._child, now_s)
        while self._inbox:
            events += self._obey(self._inbox.popleft(), now_s)
        return events

    def _attend(self, child: EngineChild, now_s: float) -> list[ProcessEvent]:
        """Hear what a child said, and judge whether it is well."""
        dead = not child.alive
        if dead:
            child.end()  # only then has everything come that it said
        events: list[ProcessEvent] = []
        readable = self._hear(child, events, now_s) and not child.garbled
        if dead:
            return events + self._bury(child, None)
        if not readable:
            return events + self._bury(child, EngineGarbled(what=self._doing))
        overdue_s = self._watchdog.overdue_s(now_s)
        if overdue_s is not None:
            child.dump_stacks()
            return events + self._bury(child, EngineHung(what=self._doing, seconds=round(overdue_s)))
        return events + (self._exchange(child) if self._is_spent else [])

    def _hear(self, child: EngineChild, events: list[ProcessEvent], now_s: float) -> bool:
        """Add what came to `events`; False at the first thing that is no event."""
        for data in child.receive():
            try:
                event = decode_event(data)
            except WireError:
                return False
            self._watchdog.hear(event, now_s)
            if isinstance(event, Failed) and (again := self._ladder.step_down(event)):
                self._jobs.begin_again(event.request_id)
                self._send(again)
                continue
            told = self._ladder.follow(event)
            if isinstance(event, Heartbeat):
                continue
            self._jobs.follow(event)
            self._note_gpu(event)
            self._watchdog.set_loading(self._jobs.doing == LOADING, now_s)
            self._watchdog.set_stopping(self._jobs.stopped_s)
            self._may_restart = self._may_restart or isinstance(event, Finished | ModelReady)
            events += told
        return True

    def _note_gpu(self, event: Event) -> None:
        """Whether a child holds nothing but what only its end gives back."""
        if isinstance(event, ModelReady):
            self._used_gpu = self._used_gpu or event.device != _PROCESSOR
        elif isinstance(event, ModelUnloaded):
            self._is_spent = self._used_gpu and not self._jobs.doing

    def _exchange(self, child: EngineChild) -> list[ProcessEvent]:
        """Start a child in the place of one that has nothing to do; what it said meanwhile is heard."""
        child.send(encode_command(Shutdown()))
        child.end(SHUTDOWN_S)
        self._child = None
        events: list[ProcessEvent] = []
        self._hear(child, events, time.monotonic())
        return events + self._revive(self._jobs.take_prices())

    @property
    def _doing(self) -> str:
        return self._jobs.doing or _IDLE

    def _bury(self, child: EngineChild, error: AppError | None) -> list[ProcessEvent]:
        """End a child that went wrong, tell everybody who waits for it, and start another if that is due."""
        child.end()
        self._child = None
        events: list[ProcessEvent] = []
        self._hear(child, events, time.monotonic())
        tail = read_tail(child.log_path)
        death = Death(child.process.exitcode or 0, tail, count_memory_kills() > self._memory_kills)
        prices, died = self._jobs.take_prices(), error or death.error(self._doing)
        events += self._jobs.take_stopped()
        after = self._ladder.after_death(
            self._jobs.fail(died, tail), aborted=error is None and death.is_abort
        )
        if after.steps_down:
            after.again += prices  # it was the request that the engine died of
        else:
            after.told += failed_prices(prices, died, tail)
        starts, self._may_restart = self._may_restart or bool(after.again), False
        detail = error.message if error else death.detail
        handed_on = [HandedOn(request_id, detail) for request_id in after.handed_on]
        events += [*after.told, EngineStopped(detail, starts), *handed_on]
        return events + (self._revive(after.again) if starts else [])

    def _revive(self, commands: Sequence[Command]) -> list[ProcessEvent]:
        """Start another child, and give it what goes on."""
        for command in commands:
            if isinstance(command, Generate | LoadModel | PriceAttachments):
                self._jobs.add(command)
        events = self._start()
        self._send(commands)
        return events

    def _send(self, commands: Iterable[Command]) -> None:
        """Give commands to the child, if there is one."""
        for command in commands:
            if self._child is not None:
                self._child.send(encode_command(command))

    def _obey(self, command: Command | None, now_s: float) -> list[ProcessEvent]:
        """Pass a command on, to a new child where there is none."""
        events: list[ProcessEvent] = []
        if command is not None:
            command = self._ladder.prepare(command)
        if isinstance(command, Generate | LoadModel | PriceAttachments):
            self._jobs.add(command)
        if self._child is None and not isinstance(command, Cancel | UnloadModel):
            events += self._start()
        if isinstance(command, Cancel) and self._child is not None:
            self._jobs.stop(command.request_id, now_s)
            self._watchdog.set_stopping(self._jobs.stopped_s)
        if command is not None:
            self._send([command])
        return events

    def _start(self) -> list[ProcessEvent]:
        self._starts += 1
        self._used_gpu = self._is_spent = False
        self._memory_kills = count_memory_kills()
        try:
            log = self._new_log()
        except OSError as error:
            reason = error.strerror or str(error)
            return self._not_started(LogFolderUnwritable(folder=str(self._log_dir), reason=reason), error)
        try:
            self._child = EngineChild(self._make_backends, log, self.wake)
        except OSError as error:  # no memory or no process left for it
            return self._not_started(EngineDied(what=STARTING, detail=str(error)), error)
        self._watchdog = Watchdog(self._limits, self._child.started_s)
        process_id = self._child.process.pid or 0
        return [EngineStarted(process_id, self._starts > 1, str(self._child.log_path))]

    def _not_started(self, failed: AppError, error: OSError) -> list[ProcessEvent]:
        prices = failed_prices(self._jobs.take_prices(), failed, str(error))
        return [*self._jobs.fail(failed, str(error)), *prices, EngineStopped(failed.message)]

    def _new_log(self) -> Path:
        """A path for the next child's output; the oldest files of earlier ones are removed."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for old in sorted(self._log_dir.glob("engine-*.log"))[: -_LOGS_KEPT + 1]:
            with contextlib.suppress(OSError):  # another window's child may be writing it, or be gone with it
                old.unlink()
        moment = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        return self._log_dir / f"engine-{moment}-{os.getpid()}-{self._starts}.log"
