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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktopapp.engine.events import Channel, FinishReason
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.theme import ThemeChoice, ThemeController

HEARTBEAT_MS = 4
APPEND_MS = 10
WINDOW_TOKENS = 1000

_SENTENCE = (
    "the model reads a picture in patches and turns each of them into one visual token that attention compares "
    "with every other token of the prompt before the first word of the answer can be written to the window"
)
_WORDS = _SENTENCE.split()
_CHINESE = "这张截图显示了一个错误对话框提示网络连接超时您可以检查代理设置然后重新启动应用程序"
_CODE = (
    "def attend(query: Tensor, key: Tensor) -> Tensor:\n",
    '    """Scaled dot products, soft-maxed over the keys."""\n',
    "    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])\n",
    "    return scores.softmax(dim=-1)  # (batch, heads, queries, keys)\n",
    "\n",
)


def _words(rng: random.Random, count: int) -> Iterator[str]:
    for index in range(count):
        word = rng.choice(_WORDS)
        style = rng.random()
        word = f"**{word}**" if style < 0.04 else f"`{word}`" if style < 0.08 else word
        yield word + (". " if index % 14 == 13 else " ")


def mixed(rng: random.Random) -> Iterator[str]:
    """Prose, lists, code, tables and Chinese in turn, without end."""
    section = 0
    while True:
        section += 1
        yield from (f"## Section {section}", "\n\n")
        for _ in range(3):
            yield from _words(rng, 70)
            yield "\n\n"
        for item in range(1, 9):
            yield f"{item}. "
            yield from _words(rng, 9)
            yield "\n"
            yield "   - "
            yield from _words(rng, 5)
            yield "\n"
        yield "\n```python\n"
        for _ in range(5):
            for line in _CODE:
                yield from (line[start : start + 4] for start in range(0, len(line), 4))
        yield "```\n\n"
        for _ in range(2):
            yield from (rng.choice(_CHINESE) for _ in range(90))
            yield "。\n\n"
        yield "| layer | size | note |\n|---|---:|---|\n"
        for row in range(10):
            yield from (f"| {row} ", f"| {row * 37} ", "| ", *_words(rng, 4), "|\n")
        yield "\n> "
        yield from _words(rng, 30)
        yield "\n\n"


def paragraph(rng: random.Random) -> Iterator[str]:
    """One paragraph that never ends."""
    while True:
        yield from _words(rng, 1000)


def code(rng: random.Random) -> Iterator[str]:
    """One code block that never ends."""
    yield "```python\n"
    while True:
        for line in _CODE:
            yield from (line[start : start + 4] for start in range(0, len(line), 4))


def bullets(rng: random.Random) -> Iterator[str]:
    """One list of short rows: 2,000 of them in 20,000 tokens."""
    while True:
        yield "- "
        yield from _words(rng, 8)
        yield "\n"


def nested(rng: random.Random) -> Iterator[str]:
    """One list item that holds all the others."""
    yield "1. everything\n"
    while True:
        yield "   - "
        yield from _words(rng, 8)
        yield "\n"


def table(rng: random.Random) -> Iterator[str]:
    """One table of rows: 2,000 of them in 20,000 tokens."""
    yield "| a | b | c |\n|---|---|---|\n"
    while True:
        yield from ("| ", *_words(rng, 3), "| ", *_words(rng, 3), "| x |\n")


def one_line(rng: random.Random) -> Iterator[str]:
    """A code block of a single line, as of minified JavaScript."""
    yield "```js\n"
    while True:
        yield f"f({rng.randrange(99)}),"


CASES: dict[str, Callable[[random.Random], Iterator[str]]] = {
    case.__name__: case for case in (mixed, paragraph, code, bullets, nested, table, one_line)
}


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


class Run:
    """One answer, streamed directly into a shown view."""

    def __init__(self, case: str, tokens: int, rate: float) -> None:
        self.view = ConversationView()
        self.view.resize(1000, 800)
        self.view.show()
        self.source = CASES[case](random.Random(7))
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
        beat, feed = make_timer(HEARTBEAT_MS, self._beat), make_timer(APPEND_MS, self._feed)
        self.loop.exec()
        feed.stop()
        self.view.finish_answer("answer", FinishReason.STOP, None)
        settle(500)
        beat.stop()
        self.view.close()
        self.view.deleteLater()
        return self.result

    def _beat(self) -> None:
        now_s = time.perf_counter()
        self.result.gaps_ms.append(max(0.0, (now_s - self.last_beat_s) * 1000 - HEARTBEAT_MS))
        self.last_beat_s = now_s
        cpu_s = time.thread_time()
        self.result.busy_ms.append((cpu_s - self.last_cpu_s) * 1000)
        self.last_cpu_s = cpu_s

    def _feed(self) -> None:
        due = min(self.target, int((time.perf_counter() - self.started_s) * self.rate))
        while self.result.tokens < due:
            self.view.append_text("answer", Channel.ANSWER, next(self.source))
            self.result.tokens += 1
            if self.result.tokens % WINDOW_TOKENS == 0:
                self.result.mark()
        if self.result.tokens >= self.target:
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
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    options = parser.parse_args()
    application = QApplication(sys.argv[:1])
    ThemeController(application, ThemeChoice(options.scheme))
    print("case        tokens  stall ms   CPU ms   p99 ms   p50 ms  us/token  us/token ratio")
    print("                     longest  longest                    at 2,000    at end")
    failed = False
    for name in CASES if options.case == "all" else [options.case]:
        stall_ms, ratio = report(name, Run(name, options.tokens, options.rate).measure())
        failed = failed or (name == "mixed" and (stall_ms > 50 or ratio > 2))
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
