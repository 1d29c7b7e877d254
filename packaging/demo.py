"""The main job without a person: opens the window, drops a picture on it, asks, waits, saves `build/demo.png`.

Exit code 0 when an answer came; 1 when it failed, or none came in time. The picture is saved in both cases.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QDeadlineTimer, QMimeData, QObject, QPoint, QPointF, Qt, QUrl, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parent.parent
# A script's folder comes first on the path, and this one's name is that of a PyPI package.
sys.path[0] = str(ROOT)

from desktopapp import paths  # noqa: E402
from desktopapp.app import Desktop, make_worker, start_application  # noqa: E402
from desktopapp.engine.events import Failed, Finished, ModelReady  # noqa: E402
from desktopapp.settings import LoadedSettings, Settings  # noqa: E402

QUESTION = "What does it say?"
EXPECTED = "Rye bread 4.50"


class Demo(QObject):
    """One run.

    Args:
        desktop: an open window that has begun.
        timeout_s: longest wait for each step.
    """

    def __init__(self, desktop: Desktop, timeout_s: float) -> None:
        super().__init__()
        self._desktop = desktop
        self._timeout_s = timeout_s
        self.ready: list[ModelReady] = []
        self.finished: list[Finished] = []
        self.failed: list[Failed] = []
        # Slots of an object of this thread, so that they run here and not in the worker's.
        desktop.session.worker.model_ready.connect(self._on_ready)
        desktop.session.worker.finished.connect(self._on_finished)
        desktop.session.worker.failed.connect(self._on_failed)

    def run(self, picture: Path) -> str:
        """Do the job; return what went wrong, or nothing."""
        window = self._desktop.window
        if not self._wait(lambda: bool(self.ready)):
            return "no model was loaded"
        self._drop(picture)
        if not self._wait(lambda: "tokens" in self._card_text()):
            return "the picture was not priced"
        window.composer.edit.setFocus()
        QTest.keyClicks(window.composer.edit, QUESTION)
        QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
        if not self._wait(lambda: bool(self.finished)):
            return "no answer came"
        text = self.finished[0].text
        return "" if EXPECTED in text else f"the answer lacks “{EXPECTED}”: {text}"

    @Slot(object)
    def _on_ready(self, event: ModelReady) -> None:
        self.ready.append(event)

    @Slot(object)
    def _on_finished(self, event: Finished) -> None:
        self.finished.append(event)

    @Slot(object)
    def _on_failed(self, event: Failed) -> None:
        self.failed.append(event)

    def _drop(self, picture: Path) -> None:
        """What the platform delivers when a file is dropped: events to the native window, not to a widget."""
        window = self._desktop.window
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(picture))])
        place = QPoint(window.width() // 2, window.height() // 3)
        how = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        for event in (
            QDragEnterEvent(place, *how),
            QDragMoveEvent(place, *how),
            QDropEvent(QPointF(place), *how),
        ):
            QApplication.sendEvent(window.windowHandle(), event)
            QTest.qWait(50)

    def _card_text(self) -> str:
        return "".join(card.accessibleDescription() for card in self._desktop.window.composer.strip.cards)

    def _wait(self, is_done: Callable[[], bool]) -> bool:
        deadline = QDeadlineTimer(round(self._timeout_s * 1000))
        while not is_done() and not self.failed and not deadline.hasExpired():
            QTest.qWait(20)
        return is_done() and not self.failed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo.

    Args:
        argv: see `--help`.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=paths.resources_dir() / "samples" / "receipt.png")
    parser.add_argument("--model", default="", help="name or path; the default model without")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo.png")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for each step")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="qwen3-vl-demo-") as home:
        # A home of its own: the person's conversation is not to be touched.
        os.environ[paths.HOME_VARIABLE] = home
        application = start_application()
        settings = Settings(model_name=options.model, language="en", theme=options.theme)
        desktop = Desktop(application, make_worker, LoadedSettings(settings))
        desktop.window.show()
        desktop.begin([])
        demo = Demo(desktop, options.timeout)
        try:
            problem = demo.run(options.picture)
            QTest.qWait(400)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            desktop.window.grab().save(str(options.out))
        finally:
            desktop.close()
            desktop.window.close()
    return _report(problem, demo, options.out)


def _report(problem: str, demo: Demo, picture: Path) -> int:
    for failed in demo.failed:
        print(f"{failed.error}: {failed.message} {failed.remedy}", file=sys.stderr)
    if problem:
        print(f"The demo failed: {problem}.", file=sys.stderr)
        return 1
    stats = demo.finished[0].stats
    print(f"{stats.model} answered through {stats.backend}: {stats.new_tokens} tokens. Saved {picture}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
