"""Opens the window, then builds what works behind it.

A window is quick to make; the engine's client, the conversation store and the rest are imported once it is shown.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from desktopapp import paths
from desktopapp.logs import FaultLog, start_log
from desktopapp.settings import Backend, LoadedSettings, Settings, load_settings
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.crash_reporter import CrashReporter
from desktopapp.ui.garbage_collector import GarbageCollector
from desktopapp.ui.icons import application_icon
from desktopapp.ui.languages import LanguageController
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.notice_bar import Notice, NoticeLevel
from desktopapp.ui.reading_threads import ReadingThread
from desktopapp.ui.single_instance import SingleInstance
from desktopapp.ui.termination import TerminationWatcher
from desktopapp.ui.theme import ThemeChoice, ThemeController

if TYPE_CHECKING:
    from desktopapp.ui.engine_worker import Worker
    from desktopapp.ui.session import Session

_LONGEST_WAIT_FOR_PAINTING_MS = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """The command line.

    Args:
        files: files and folders to attach.
        model: name or path of the model to start with, or empty.
        backend: what runs it; None leaves that to the settings.
        new_window: open another window though one is open.
    """

    files: Sequence[str] = ()
    model: str = ""
    backend: Backend | None = None
    new_window: bool = False

    @property
    def wants_own_window(self) -> bool:
        """Whether an open window must not take the files: it keeps its own model."""
        return self.new_window or bool(self.model) or self.backend is not None


class Application(QApplication):
    """The Qt application.

    Signals:
        file_opened: path of a file that macOS opens with this program; there it comes as an event.
    """

    file_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        """Pass opened files on."""
        if isinstance(event, QFileOpenEvent):
            self.file_opened.emit(event.file())
            return True
        return super().event(event)


class Desktop(QObject):
    """The running program: one window, and once `begin` was called the session behind it.

    Args:
        application: for theme and language.
        make_worker: makes the worker, once the window is shown.
        loaded: the settings as read.
    """

    session: Session

    def __init__(
        self, application: QApplication, make_worker: Callable[[], Worker], loaded: LoadedSettings
    ) -> None:
        super().__init__()
        self._make_worker = make_worker
        self._loaded = loaded
        self._has_begun = False
        self._is_closed = False
        self._waiting: list[str] = []
        self.theme = ThemeController(application, ThemeChoice(loaded.settings.theme))
        self.language = LanguageController(application, loaded.settings.language)
        self.window = MainWindow(ConversationView(), loaded.settings)
        self.window.settings_menu.changed.connect(self._on_settings_changed)
        self.window.closed.connect(self.close)
        application.aboutToQuit.connect(self.close)

    def begin(self, attachments: Sequence[str]) -> bool:
        """What the window's first appearance does not wait for: engine, model, the last conversation.

        Args:
            attachments: files and folders from the command line.

        Returns:
            Whether it began now.
        """
        if self._is_closed or self._has_begun:
            return False
        from desktopapp.ui.session import Session

        self.session = Session(self.window, self._make_worker(), self._loaded, self)
        self._has_begun = True
        self.session.begin([*attachments, *self._waiting])
        self._waiting.clear()
        return True

    @Slot(str)
    def attach(self, path: str) -> None:
        """Attach a file that the desktop opens with this program."""
        self._take([path])

    @Slot(object)
    def take_over(self, files: Sequence[str]) -> None:
        """Attach what a later start of the program was given, and come to the front."""
        self._take(files)
        window = self.window
        if window.isMinimized():
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.raise_()
        window.activateWindow()

    def tell_of_crash(self, report: Path | None) -> None:
        """Say that the program crashed the last time, and where its report is; nothing without one."""
        if report is not None:
            message = self.tr("The program ended unexpectedly the last time.")
            remedy = self.tr("Nothing of yours is in its report, {file}; please send it to the developers.")
            notice = Notice(NoticeLevel.WARNING, message, remedy.format(file=report), "crash")
            self.window.notices.show_notice(notice)

    def _take(self, files: Sequence[str]) -> None:
        if self._has_begun:
            self.session.intake.take_paths(files)
        else:
            self._waiting += files

    @Slot()
    def close(self) -> None:
        """Save and end everything. Without effect the second time."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._has_begun:
            self.session.close()

    def _on_settings_changed(self, settings: Settings) -> None:
        self.theme.choose(ThemeChoice(settings.theme))
        self.language.choose(settings.language)


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window and run until it is closed.

    Args:
        argv: files and folders to attach, `--model`, `--backend`; None takes the process's own.

    Returns:
        The exit code.
    """
    options = _parse(sys.argv[1:] if argv is None else argv)
    if _has_no_screen():
        sys.stderr.write("There is no screen to open the window on. Log in to a desktop, or ask here: ")
        sys.stderr.write("see “main.py ask --help”.\n")
        return 1
    application = start_application()
    start_log()
    instance = SingleInstance(paths.user_dir(), application)
    is_first = instance.claim()
    if not is_first and not options.wants_own_window and instance.hand_over(options.files):
        return 0
    return _run(application, options, instance)


def _run(application: Application, options: Options, instance: SingleInstance) -> int:
    # Before there is a window: Python's own answer to Ctrl-C is an exception, which a method that Qt calls cannot pass on.
    watcher = TerminationWatcher(application)
    faults = FaultLog()
    faults.start()
    GarbageCollector(application).start()
    reporter = CrashReporter(application)
    reporter.install()
    desktop = Desktop(application, make_worker, _override(load_settings(), options))
    application.file_opened.connect(desktop.attach)
    instance.files_received.connect(desktop.take_over)
    desktop.window.fit_screen()
    desktop.window.show()

    def begin() -> None:
        if desktop.begin(options.files):
            instance.listen()
            # Whichever window comes next tells of a crash, also where there can be no socket: each report is taken once.
            desktop.tell_of_crash(faults.take_earlier())

    # After the first painting; a window that starts hidden is never painted.
    desktop.window.painted_first.connect(begin)
    QTimer.singleShot(_LONGEST_WAIT_FOR_PAINTING_MS, desktop, begin)
    watcher.requested.connect(desktop.window.close)
    try:
        return application.exec()
    finally:
        instance.close()
        desktop.close()
        watcher.close()
        reporter.uninstall()
        faults.close()


def end_process(code: int) -> NoReturn:
    """End this process, also where a disk that does not answer holds up a thread or the engine's process.

    Python would wait for the process, and a thread that goes on late would do so in an interpreter that is half gone.

    Args:
        code: the exit code.
    """
    children = multiprocessing.active_children()
    if not children and not any(isinstance(thread, ReadingThread) for thread in threading.enumerate()):
        sys.exit(code)
    for child in children:
        child.kill()
    logging.shutdown()
    os._exit(code)


def make_worker() -> Worker:
    """The worker with the real engine behind it."""
    # Imported here: the window appears without it.
    from desktopapp.worker.inference_worker import InferenceWorker

    return InferenceWorker()


def start_application() -> Application:
    """The Qt application with its name, icon and style; widgets need one."""
    application = Application(sys.argv[:1])
    application.setApplicationName(paths.APP_NAME)
    application.setDesktopFileName(paths.APP_NAME)
    application.setStyle("fusion")
    application.setWindowIcon(application_icon())
    return application


def _has_no_screen() -> bool:
    """True where Qt would end the process with a core dump because it finds no display."""
    if not sys.platform.startswith("linux"):
        return False
    named = os.environ.get("QT_QPA_PLATFORM", "")
    if named and named != "xcb":
        return False
    return not any(os.environ.get(name) for name in ("DISPLAY", *(() if named else ("WAYLAND_DISPLAY",))))


def _parse(argv: Sequence[str]) -> Options:
    if not argv:
        return Options()
    import argparse

    from desktopapp.engine.request import BackendChoice

    backends = [str(choice) for choice in BackendChoice]
    parser = argparse.ArgumentParser(prog=Path(sys.argv[0]).name, description="Open the window.")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="a picture, a video, a PDF, or a folder of these"
    )
    parser.add_argument("--model", metavar="NAME_OR_PATH", default="", help="the model to start with")
    # The fake backend answers when it is named; it is no choice to offer.
    offered = "|".join(name for name in backends if name != BackendChoice.FAKE)
    parser.add_argument("--backend", choices=backends, metavar=offered, help="what runs it")
    parser.add_argument("--new-window", action="store_true", help="open another window though one is open")
    return Options(**vars(parser.parse_args(argv)))


def _override(loaded: LoadedSettings, options: Options) -> LoadedSettings:
    """Lay the command line's wishes over the settings, for this run and what is saved in it."""
    settings = loaded.settings
    if options.model:
        settings = replace(settings, model_name=options.model)
    if options.backend:
        settings = replace(settings, backend=options.backend)
    return replace(loaded, settings=settings, is_model_named=bool(options.model))
