"""Unexpected exceptions of this process: to the log, and to the person as a report that can be copied."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import desktopapp
from desktopapp.ui.theme import fonts
from desktopapp.ui.tokens import SPACE_L, SPACE_M

_log = logging.getLogger(__name__)


def format_report(error: BaseException) -> str:
    """Versions and the traceback, without anything of the person's but what the traceback itself holds."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return (
        f"Qwen3-VL Desktop {desktopapp.__version__}\n"
        f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}\n\n"
        f"{''.join(lines)}"
    )


class CrashReporter(QObject):
    """Catches what nobody caught, in any thread, and shows it in the window's thread.

    Signals:
        crashed: text of the report; may be emitted from any thread.
    """

    crashed = Signal(str)

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
        report = format_report(error.with_traceback(trace))
        _log.error("Unexpected exception\n%s", report)
        self.crashed.emit(report)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _show(self, report: str) -> None:
        # One dialog at a time: an error that repeats with every repaint must not bury the window.
        if self._dialog is None or not self._dialog.isVisible():
            self._dialog = CrashDialog(report, QApplication.activeWindow())
            self._dialog.open()


class CrashDialog(QDialog):
    """Says that something unexpected happened, with a report to copy."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setMinimumSize(560, 380)
        self._report = report
        title = QLabel(self.tr("Something unexpected happened inside the program."), self)
        title.setFont(fonts().title)
        title.setWordWrap(True)
        advice = QLabel(
            self.tr(
                "Your conversation is saved. You can close this and go on; if it happens again, please send this"
                " report to the developers. It may hold names of your files."
            ),
            self,
        )
        advice.setWordWrap(True)
        text = QPlainTextEdit(report, self)
        text.setObjectName("crashReport")
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setFont(fonts().mono)
        text.setAccessibleName(self.tr("Report"))
        self._copy = QPushButton(self.tr("Copy the report"), self)
        self._copy.clicked.connect(self._on_copy)
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        buttons = QDialogButtonBox(self)
        buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(title)
        layout.addWidget(advice)
        layout.addWidget(text, 1)
        layout.addWidget(buttons)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._report)
        self._copy.setText(self.tr("Copied"))
