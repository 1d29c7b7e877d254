"""The border between Qt and the process that fetches models: a task in as a call, its events out as signals."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktopapp.hub_errors import DownloadEnded
from desktopapp.worker.hub_child import (
    Advanced,
    Fetched,
    HubEvent,
    HubFailed,
    HubTask,
    Looked,
    decode,
    serve_hub,
)

_LARGEST_MESSAGE_BYTES = 16 << 20
_ENDING_S = 1.0
"""For the way from a closed pipe to an exit code; a process that said what is no message has not even begun."""


class _Listener(QThread):
    """Waits at the pipe; ends with the process at its other end."""

    received = Signal(object, object)
    ended = Signal(object)

    def __init__(self, events: Connection) -> None:
        super().__init__()
        self._events = events

    def run(self) -> None:
        try:
            while True:
                self.received.emit(self, decode(self._events.recv_bytes(_LARGEST_MESSAGE_BYTES)))
        except (EOFError, OSError, ValueError):
            pass  # it ended, or was ended, perhaps within a message
        self.ended.emit(self)


class HubWorker(QObject):
    """Does one task at a time in a child process.

    Signals:
        looked: carries the `RemoteModel`.
        advanced: carries `Advanced`.
        fetched: carries the model's folder.
        failed: carries `HubFailed`.
    """

    looked = Signal(object)
    advanced = Signal(object)
    fetched = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: multiprocessing.process.BaseProcess | None = None
        self._events: Connection | None = None
        self._listener: _Listener | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a task runs."""
        return self._process is not None

    def start(self, task: HubTask) -> None:
        """Begin a task; one that runs is ended."""
        self.stop()
        context = multiprocessing.get_context("spawn")
        self._events, child_events = context.Pipe(duplex=False)
        self._process = context.Process(
            target=serve_hub, args=(child_events, task), name="qwen3-vl-hub", daemon=True
        )
        try:
            self._process.start()
        finally:
            child_events.close()  # only the child may hold it, or its end would not close the pipe
        self._listener = _Listener(self._events)
        self._listener.received.connect(self._on_received)
        self._listener.ended.connect(self._on_ended)
        self._listener.start()

    def stop(self) -> None:
        """End the task at once; what was loaded stays on the disk. Nothing is told of it any more."""
        process, events, listener = self._process, self._events, self._listener
        self._process = self._events = self._listener = None
        if process is not None:
            process.kill()
            process.join()
        if listener is not None:
            listener.wait()
        if events is not None:
            events.close()

    @Slot(object, object)
    def _on_received(self, listener: _Listener, event: HubEvent) -> None:
        if listener is not self._listener:
            return  # of a task that was stopped meanwhile
        if isinstance(event, Advanced):
            self.advanced.emit(event)
            return
        self.stop()
        if isinstance(event, Looked):
            self.looked.emit(event.model)
        elif isinstance(event, Fetched):
            self.fetched.emit(event.folder)
        else:
            self.failed.emit(event)

    @Slot(object)
    def _on_ended(self, listener: _Listener) -> None:
        if listener is not self._listener:
            return  # it said how it went, or was stopped
        process = self._process
        if process is not None:
            process.join(_ENDING_S)
        self.stop()
        error = DownloadEnded(detail=f"exit code {process.exitcode if process is not None else None}")
        self.failed.emit(HubFailed(error.error, error.message, error.remedy, error.values))
