"""One life of the engine process: its start, its pipes, its end. What it says is read, not judged."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.host import STACKS_SIGNAL, run_engine
from desktopapp.worker.post_mortem import size_of

LARGEST_MESSAGE_BYTES = 64 * 2**20
_JOIN_S = 2.0
_DUMP_S = 2.0
_QUIET_LOOKS = 5


class EngineChild:
    """A started engine process. Owned by one thread, which should outlive it: on Linux the child ends with it.

    Two threads stand at the pipes, so that the owner never waits for a child that stopped reading, or that
    wrote half a message.

    Args:
        make_backends: picklable function that returns the backends.
        log_path: gets everything that the child prints.
        wake: called from another thread whenever something came.
    """

    def __init__(self, make_backends: BackendFactory, log_path: Path, wake: Callable[[], None]) -> None:
        self.log_path = log_path
        self.started_s = time.monotonic()
        self.garbled = False
        """The pipe held something that is no message."""
        self._wake = wake
        self._received: deque[bytes] = deque()
        self._to_send: SimpleQueue[bytes | None] = SimpleQueue()
        context = multiprocessing.get_context("spawn")
        child_commands, self._commands = context.Pipe(duplex=False)
        self._events, child_events = context.Pipe(duplex=False)
        self.process = context.Process(
            target=run_engine,
            args=(child_commands, child_events, str(log_path), os.getpid(), pickle.dumps(make_backends)),
            name="qwen3-vl-engine",
            daemon=True,
        )
        try:
            self.process.start()
        finally:
            # Only the child may hold these, or its end would not close the pipes.
            child_commands.close()
            child_events.close()
        self._threads = [
            threading.Thread(target=self._read, name="engine-reader", daemon=True),
            threading.Thread(target=self._write, name="engine-writer", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.is_alive()

    def send(self, data: bytes) -> None:
        """Send a message some time soon; without effect on a dead child."""
        self._to_send.put(data)

    def receive(self) -> list[bytes]:
        """The messages that came since the last call."""
        messages = []
        while self._received:
            messages.append(self._received.popleft())
        return messages

    def dump_stacks(self) -> None:
        """Have a hung child print where each thread is, which works even while native code holds the GIL."""
        if STACKS_SIGNAL is None or self.process.pid is None or not self.process.is_alive():
            return
        before = last = size_of(self.log_path)
        os.kill(self.process.pid, STACKS_SIGNAL)
        deadline_s = time.monotonic() + _DUMP_S
        quiet_looks = 0  # it is written line by line: to kill it after the first would lose the place
        while quiet_looks < _QUIET_LOOKS and time.monotonic() < deadline_s:
            time.sleep(0.02)
            size_bytes = size_of(self.log_path)
            quiet_looks = quiet_looks + 1 if size_bytes == last > before else 0
            last = size_bytes

    def end(self, grace_s: float = 0.0) -> None:
        """Make sure that the process and both threads have ended, and close the pipes.

        Args:
            grace_s: how long it may take to end by itself before it is killed.
        """
        self.process.join(grace_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(_JOIN_S)
        self._to_send.put(None)
        for thread in self._threads:
            thread.join(_JOIN_S)
        for connection in (self._commands, self._events):
            connection.close()

    def _read(self) -> None:
        try:
            while True:
                self._received.append(self._events.recv_bytes(LARGEST_MESSAGE_BYTES))
                self._wake()
        except EOFError:
            pass
        except OSError:
            # Half a message from a child that died, or a length that no message has, which closes the pipe.
            self.garbled = self._events.closed
        self._wake()

    def _write(self) -> None:
        try:
            while (data := self._to_send.get()) is not None:
                self._commands.send_bytes(data)
        except OSError:
            pass  # it died, which its owner sees
