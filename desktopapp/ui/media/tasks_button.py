"""The button with the menu of tasks."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.media.task_presets import PRESETS
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import ICON_SIZE


class TasksButton(QToolButton):
    """Questions at a click.

    Signals:
        chosen: a `TaskPreset`.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("shape", "square")
        self.setProperty("role", "quiet")
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)
        self._retint()
        self._retranslate()

    def fill(self) -> None:
        """Put the tasks into the menu, in the language of now."""
        self._menu.clear()
        for preset in PRESETS:
            name = QCoreApplication.translate("TaskPresets", preset.name)
            action = self._menu.addAction(name)
            action.triggered.connect(lambda _=False, preset=preset: self.chosen.emit(preset))

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retint(self) -> None:
        self.setIcon(tinted_icon("tasks", colors_of(self).text_secondary, size=ICON_SIZE))

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Tasks"))
        self.setToolTip(self.tr("Tasks: read, find, convert, compare …"))
