"""The small menu of settings: how the model answers, theme, language, keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from PySide6.QtCore import QEvent, QPoint, QSize, Signal
from PySide6.QtGui import QAction, QActionGroup, QShowEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from desktopapp.settings import Settings
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import ICON_SIZE
from desktopapp.ui.wording import format_number, kv_type_word

Value: TypeAlias = str | int | None
# 4,096 is what llama.cpp shows at most, 1,024 the least that small print and places in pictures want.
_PICTURE_TOKENS = (4096, 2048, 1024, 256)
_THOUGHT_TOKENS = (512, 2048, 8192)
_THOUGHT_STEPS = (4, 8, 16)


class _RightAlignedMenu(QMenu):
    """Ends where its button ends, so that it stays inside the window."""

    def __init__(self, button: QToolButton) -> None:
        super().__init__(button)
        self._button = button

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        right = self._button.mapToGlobal(QPoint(self._button.width(), 0)).x()
        self.move(right - self.width(), self.y())


class SettingsMenu(QToolButton):
    """A button with the menu.

    Signals:
        changed: carries the new `Settings`.
        all_requested: the person wants the dialog with every setting.
        shortcuts_requested: the person wants the list of keyboard shortcuts.
    """

    changed = Signal(object)
    all_requested = Signal()
    shortcuts_requested = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._groups: list[QActionGroup] = []
        self.setProperty("role", "quiet")
        self.setProperty("shape", "square")
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = _RightAlignedMenu(self)
        self.setMenu(self._menu)
        self._menu.aboutToShow.connect(self._fill)
        self._retint()
        self._retranslate()

    @property
    def settings(self) -> Settings:
        """What is set."""
        return self._settings

    def show_settings(self, settings: Settings) -> None:
        """Show other settings; emits nothing."""
        self._settings = settings

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retint(self) -> None:
        self.setIcon(tinted_icon("menu", colors_of(self).text_secondary, size=ICON_SIZE))

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Settings"))
        self.setToolTip(self.tr("Settings"))

    def _fill(self) -> None:
        self._menu.clear()
        self._groups.clear()
        self._add_choice(
            self.tr("Answer with"),
            "use_thinking_mode",
            {
                "auto": self.tr("Automatic: by the task"),
                "false": self.tr("Instruct: answers at once"),
                "true": self.tr("Thinking: thinks first"),
            },
        )
        budgets: dict[Value, str] = {None: self.tr("As long as there is room")}
        words = self.tr("Up to {count} tokens")
        budgets |= {count: words.format(count=format_number(count)) for count in _THOUGHT_TOKENS}
        self._add_choice(self.tr("Longest thought"), "thought_budget", budgets)
        steps: dict[Value, str] = {1: self.tr("In one go")}
        words = self.tr("In up to {count} steps, in the memory of one")
        steps |= {count: words.format(count=count) for count in _THOUGHT_STEPS}
        self._add_choice(self.tr("Think in steps"), "max_steps", steps)
        self._add_choice(
            self.tr("Backend"),
            "backend",
            {"auto": self.tr("Automatic"), "transformers": "transformers", "llama.cpp": "llama.cpp"},
        )
        self._menu.addSeparator()
        self._add_choice(
            self.tr("KV cache"),
            "kv_cache_quantization",
            {
                "auto": self.tr("Automatic: as the memory asks for"),
                "none": kv_type_word("16bit"),
                "int8": kv_type_word("int8"),
                "fp8_e4m3": kv_type_word("fp8_e4m3"),
                "fp8_e5m2": kv_type_word("fp8_e5m2"),
                "int4": kv_type_word("int4"),
            },
        )
        tokens = self.tr("Up to {count} tokens each")
        sizes: dict[Value, str] = {None: self.tr("As fine as the model reads them")}
        sizes |= {count: tokens.format(count=format_number(count)) for count in _PICTURE_TOKENS}
        self._add_choice(self.tr("Pictures"), "image_max_tokens", sizes)
        self._menu.addSeparator()
        self._add_choice(
            self.tr("Theme"),
            "theme",
            {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")},
        )
        self._add_choice(
            self.tr("Language"),
            "language",
            {"system": self.tr("As the system"), "en": "English", "zh_CN": "简体中文"},
        )
        self._menu.addSeparator()
        everything = self._menu.addAction(self.tr("All settings …"))
        everything.triggered.connect(self.all_requested)
        shortcuts = self._menu.addAction(self.tr("Keyboard shortcuts"))
        shortcuts.triggered.connect(self.shortcuts_requested)

    def _add_choice(self, title: str, field: str, options: Mapping[Value, str]) -> None:
        menu = self._menu.addMenu(title)
        group = QActionGroup(menu)
        self._groups.append(group)
        for value, label in options.items():
            action = QAction(label, menu, checkable=True, checked=getattr(self._settings, field) == value)
            action.setData((field, value))
            group.addAction(action)
            menu.addAction(action)
        group.triggered.connect(self._on_triggered)

    def _on_triggered(self, action: QAction) -> None:
        field, value = action.data()
        self._settings = replace(self._settings, **{field: value})
        self.changed.emit(self._settings)
