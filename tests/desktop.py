"""Opening and closing the whole window in tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktopapp.app import Desktop
from desktopapp.settings import LoadedSettings, Settings
from desktopapp.ui.engine_worker import Worker


@contextmanager
def opened_desktop(
    qapp: QApplication,
    qtbot: QtBot,
    worker: Worker,
    settings: Settings | LoadedSettings,
    files: tuple[str, ...] = (),
) -> Iterator[Desktop]:
    """A window as the program opens it, gone again afterwards with all that it changed in the application."""
    palette, sheet = qapp.palette(), qapp.styleSheet()
    loaded = LoadedSettings(settings) if isinstance(settings, Settings) else settings
    desktop = Desktop(qapp, lambda: worker, loaded)
    try:
        desktop.window.show()
        desktop.window.activateWindow()
        qtbot.waitUntil(desktop.window.isActiveWindow)
        desktop.begin(files)
        yield desktop
    finally:
        desktop.close()
        desktop.window.close()
        desktop.window.deleteLater()
        desktop.language.choose("en")
        desktop.theme.deleteLater()
        desktop.language.deleteLater()
        desktop.deleteLater()
        qapp.setStyleSheet(sheet)
        qapp.setPalette(palette)
