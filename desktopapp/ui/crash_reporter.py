"""Unexpected exceptions of this process: to the log, and to the person as a report that can be copied."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, qVersion
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from desktopapp.crash_report import CrashReport
    from desktopapp.ui.crash_dialog import CrashDialog

# What only a crash needs is imported when there is one.


def describe_versions() -> str:
    """What runs here, in one line."""
    import platform

    return f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}"


class CrashReporter(QObject):
    """Catches what nobody caught, in any thread, and shows it in the window's thread.

    Signals:
        crashed: carries the `CrashReport`; may be emitted from any thread.
    """

    crashed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dialog: CrashDialog | None = None
        self._previous = (sys.excepthook, threading.excepthook)
        # Queued also within a thread: an exception in a paint event must not open a dialog inside it.
        self.crashed.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over Python's hooks."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._previous

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        import logging

        from desktopapp.crash_report import report_error

        report = report_error(error.with_traceback(trace), describe_versions())
        logging.getLogger(__name__).error("Unexpected exception\n%s", report.full)
        self.crashed.emit(report)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, report: CrashReport) -> None:
        # One dialog at a time: an error that repeats with every repaint must not bury the window.
        if self._dialog is None or not self._dialog.isVisible():
            from desktopapp.ui.crash_dialog import CrashDialog

            self._dialog = CrashDialog(report, QApplication.activeWindow())
            self._dialog.open()
