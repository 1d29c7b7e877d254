"""Streams long answers into the conversation view and measures what that costs.

    python tests/benchmarks/bench_stream.py [--tokens 20000] [--rate 500] [--case mixed] [--drive direct|worker]

A timer appends tokens at the rate, as the worker's signals do. A heartbeat every few milliseconds measures how long
the event loop was away from it: the longest gap, less the heartbeat's own interval, is the longest stall. On a machine
that others use as well, part of a gap is theirs, so the CPU time of the longest stretch is shown beside it. The cost of
a token is the process's CPU time over a window of tokens, everything included: appending, parsing, layout, painting.
The ratio compares two windows of the same run, so that a slow machine changes both.

`--drive worker` starts the real InferenceWorker, its thread and its engine process with the fake backend instead; what
it measures is the window's process.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from desktopapp.engine.events import Channel, Failed, Finished, FinishReason, TextAdded
from desktopapp.engine.request import BackendChoice, ModelChoice, Request, Role, Turn
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.theme import ThemeChoice, ThemeController
from desktopapp.worker.inference_worker import InferenceWorker
from tests.benchmarks.stream_cases import CASES, SEED, case_backends

HEARTBEAT_MS = 4
APPEND_MS = 10
WINDOW_TOKENS = 1000


@dataclass(slots=True)
class Measurement:
    """What one run showed."""

    tokens: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    cpu_s: dict[int, float] = field(default_factory=dict)

    def mark(self) -> None:
        """Note the CPU time when another window of tokens is in."""
        self.cpu_s.setdefault(self.tokens // WINDOW_TOKENS, time.process_time())

    def cost_us(self, at_tokens: int) -> float:
        """CPU microseconds of a token, over the window that ends at `at_tokens`."""
        last = at_tokens // WINDOW_TOKENS
        return (self.cpu_s[last] - self.cpu_s[last - 1]) / WINDOW_TOKENS * 1e6


class Run(QObject):
    """One answer, streamed into a shown view, by a timer in this process.

    Args:
        case: key of `CASES`.
        tokens: how many.
        rate: tokens a second.
    """

    def __init__(self, case: str, tokens: int, rate: float) -> None:
        super().__init__()
        self.view = ConversationView()
        self.view.resize(1000, 800)
        self.view.show()
        self.case = case
        self.source = CASES[case](random.Random(SEED))
        self.target = tokens
        self.rate = rate
        self.result = Measurement()
        self.loop = QEventLoop()

    def measure(self) -> Measurement:
        """Stream, and return what was measured."""
        self.view.add_user_message("question", "Tell me everything.", [])
        self.view.begin_answer("answer", "bench")
        settle(300)
        self.started_s = self.last_beat_s = time.perf_counter()
        self.last_cpu_s = time.thread_time()
        self.result.mark()
        beat = make_timer(HEARTBEAT_MS, self._beat)
        self.stream()
        self.view.finish_answer("answer", FinishReason.STOP, None)
        settle(500)
        beat.stop()
        self.view.close()
        self.view.deleteLater()
        return self.result

    def stream(self) -> None:
        """Return when all tokens are in."""
        feed = make_timer(APPEND_MS, self._feed)
        self.loop.exec()
        feed.stop()

    def add(self, text: str) -> None:
        """One token has come."""
        self.view.append_text("answer", Channel.ANSWER, text)
        self.result.tokens += 1
        if self.result.tokens % WINDOW_TOKENS == 0:
            self.result.mark()

    def _beat(self) -> None:
        now_s, cpu_s = time.perf_counter(), time.thread_time()
        self.result.gaps_ms.append(max(0.0, (now_s - self.last_beat_s) * 1000 - HEARTBEAT_MS))
        self.result.busy_ms.append((cpu_s - self.last_cpu_s) * 1000)
        self.last_beat_s, self.last_cpu_s = now_s, cpu_s

    def _feed(self) -> None:
        due = min(self.target, int((time.perf_counter() - self.started_s) * self.rate))
        while self.result.tokens < due:
            self.add(next(self.source))
        if self.result.tokens >= self.target:
            self.loop.quit()


class WorkerRun(Run):
    """The same through the worker's thread and an engine process with the fake backend."""

    def stream(self) -> None:
        """Ask, and return when the engine has finished."""
        with tempfile.TemporaryDirectory() as logs:
            worker = InferenceWorker(partial(case_backends, self.case, self.rate), log_dir=Path(logs))
            worker.text_added.connect(self.on_text_added)
            worker.finished.connect(self.on_end)
            worker.failed.connect(self.on_end)
            worker.start()
            turn = Turn(Role.USER, "Tell me everything.")
            choice = ModelChoice("fake", BackendChoice.FAKE)
            worker.submit(Request("answer", choice, (turn,), max_new_tokens=self.target))
            self.loop.exec()
            worker.shutdown()

    @Slot(object)
    def on_text_added(self, event: TextAdded) -> None:
        """One event may carry several tokens; the windows of cost are counted in events here."""
        self.add(event.text)

    @Slot(object)
    def on_end(self, event: Finished | Failed) -> None:
        """The engine is done."""
        if isinstance(event, Failed):
            print(f"{event.message} {event.details}", file=sys.stderr)
        self.loop.quit()


def make_timer(interval_ms: int, call: Callable[[], None]) -> QTimer:
    """A running timer that is as precise as the system allows."""
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(interval_ms)
    timer.timeout.connect(call)
    timer.start()
    return timer


def settle(duration_ms: int) -> None:
    """Let the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(duration_ms, loop.quit)
    loop.exec()


def report(name: str, result: Measurement) -> tuple[float, float]:
    """Print one line of the table; returns the longest stall (ms) and the ratio of costs."""
    gaps = sorted(result.gaps_ms)
    early = result.cost_us(min(2, result.tokens // WINDOW_TOKENS) * WINDOW_TOKENS)
    late = result.cost_us(result.tokens // WINDOW_TOKENS * WINDOW_TOKENS)
    print(
        f"{name:10} {result.tokens:7d} {gaps[-1]:9.1f} {max(result.busy_ms):8.1f} {gaps[int(len(gaps) * 0.99)]:8.1f} "
        f"{gaps[len(gaps) // 2]:8.1f} {early:9.0f} {late:9.0f} {late / early:6.2f}"
    )
    return gaps[-1], late / early


def main() -> int:
    """Measure and print; 1 when the mixed answer misses a bound."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=500.0, help="tokens a second")
    parser.add_argument("--case", choices=[*CASES, "all"], default="mixed")
    parser.add_argument("--drive", choices=["direct", "worker"], default="direct")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    options = parser.parse_args()
    application = QApplication(sys.argv[:1])
    ThemeController(application, ThemeChoice(options.scheme))
    print("case        tokens  stall ms   CPU ms   p99 ms   p50 ms  us/token  us/token ratio")
    print("                     longest  longest                    at 2,000    at end")
    failed = False
    for name in CASES if options.case == "all" else [options.case]:
        run = WorkerRun if options.drive == "worker" else Run
        stall_ms, ratio = report(name, run(name, options.tokens, options.rate).measure())
        failed = failed or (name == "mixed" and (stall_ms > 50 or ratio > 2))
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
