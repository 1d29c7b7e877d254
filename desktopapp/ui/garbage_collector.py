"""Keeps Python's cyclic garbage collection in the window's thread.

By itself it runs in whichever thread allocates next. Where that is a thread of a pool and the garbage holds a `QObject`, Qt
takes the object's lock and then waits for Python's in `QObject.disconnectNotify`; the window's thread, which has Python's
and wants Qt's for a `connect`, waits for ever. A `QObject` must be destroyed in its own thread in any case.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000


class GarbageCollector(QObject):
    """From `start` on garbage is collected in this object's thread, and in no other.

    Not collected: what a process without an event loop leaves behind; the engine's process has its own. Python is not asked
    to take over again when the program ends: threads that nobody waits for, which import lexers, may still be allocating.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(collect_due)

    def start(self) -> None:
        """Take over from Python."""
        gc.disable()
        self._timer.start()


def collect_due() -> None:
    """Collect the oldest generation that has passed its threshold, as Python would have done at an allocation."""
    due = [
        generation
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > threshold > 0
    ]
    if due:
        gc.collect(due[-1])
