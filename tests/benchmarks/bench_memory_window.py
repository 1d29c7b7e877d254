"""Prices and the gauge: a plan for a hundred files whose headers are known, one sample, one repaint of the gauge.

Bars: 50 ms for the price, 1 % of a core for four samples a second (in the engine's process and in the window).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PySide6.QtWidgets import QApplication

from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.probe import DeviceWatch
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import MemoryParts, MemorySample
from desktopapp.engine.request import Attachment, MemoryLimits, ModelChoice, Request, Role, Turn
from desktopapp.modelstore import store
from desktopapp.ui.memory import MemoryGauge

GIB = 2**30
FILES, SAMPLES_PER_S = 100, 4
PRICE_BAR_MS, CORE_BAR = 50.0, 0.01


def median_ms(work: Callable[[], object], runs: int) -> float:
    """The middle of several runs' processor time, after one that warms up."""
    work()
    times_s = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times_s.append(time.process_time() - began)
    return statistics.median(times_s) * 1000


def make_files(folder: Path) -> tuple[Attachment, ...]:
    first = folder / "0.png"
    Image.effect_noise((1920, 1088), 60).convert("RGB").save(first)
    os.utime(first, (0, 0))
    paths = [first, *(folder / f"{number}.png" for number in range(1, FILES))]
    for path in paths[1:]:
        os.link(first, path)
    return tuple(Attachment(str(path)) for path in paths)


def price_ms(attachments: tuple[Attachment, ...], limits: MemoryLimits) -> float:
    drafts, headers = RequestPlanner(store), HeaderCache()
    turns = (Turn(Role.USER, "What is on these?", attachments),)
    request = Request("draft", ModelChoice("", memory=limits), turns)
    return median_ms(lambda: drafts.plan_draft(request, headers), 15)


def gauge_ms() -> float:
    """One sample shown and painted."""
    gauge = MemoryGauge()
    gauge.resize(420, 26)
    gauge.show()
    step = iter(range(10**9))

    def show() -> None:
        used = 6 * GIB + next(step) * (1 << 24) % (4 * GIB)
        parts = MemoryParts(4 * GIB, GIB // 2, GIB)
        gauge.show_sample(MemorySample("GPU", True, used, 12 * GIB, used - GIB, parts))
        gauge.repaint()

    for _ in range(400):  # a full curve
        show()
    return median_ms(lambda: [show() for _ in range(20)], 9) / 20


def main() -> int:
    application = QApplication.instance() or QApplication([])
    rows: list[tuple[str, float, float, str]] = []
    with tempfile.TemporaryDirectory() as name:
        attachments = make_files(Path(name))
        for label, limits in {
            "as it is": MemoryLimits(),
            "pictures of 256 tokens": MemoryLimits(image_max_tokens=256),
            "nothing fits": MemoryLimits(vram_limit_bytes=1 << 20),
        }.items():
            rows.append(
                (f"price of {FILES} files, {label}", price_ms(attachments, limits), PRICE_BAR_MS, "ms")
            )
    watch = DeviceWatch()
    sample = median_ms(lambda: [watch.sample() for _ in range(50)], 9) / 50
    for label, cost_ms in (("sampling", sample), ("showing a sample in the window", gauge_ms())):
        rows.append(
            (
                f"{label}, {SAMPLES_PER_S} a second",
                cost_ms * SAMPLES_PER_S / 10,
                CORE_BAR * 100,
                "% of a core",
            )
        )
    for what, measured, bar, unit in rows:
        print(f"{what:50} {measured:8.2f} {unit:12} bar {bar:g}  {'ok' if measured < bar else 'MISSED'}")
    del application
    return 0 if all(measured < bar for _, measured, bar, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
