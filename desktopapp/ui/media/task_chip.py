"""The name of a task, in plain words; the question that the model is asked for it only where the person wants to see it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.media.task_presets import find_preset
from desktopapp.ui.theme import colors_of, fonts, is_palette_change
from desktopapp.ui.tokens import RADIUS_S, SPACE_S, SPACE_XS


class TaskChip(QWidget):
    """Hidden until there is a task.

    Args:
        can_remove: it has a button that takes the task away.
        parent: as always.

    Signals:
        removed: the person wants no task.
        resized: the details were opened or closed.
    """

    removed = Signal()
    resized = Signal()

    def __init__(self, *, can_remove: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = ""
        self._question = ""
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.details_button = QuietButton("info", self)
        self.details_button.clicked.connect(self._toggle)
        self.remove_button = QuietButton("close", self)
        self.remove_button.clicked.connect(self.removed)
        self.remove_button.setVisible(can_remove)
        self.details = QLabel(self)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.details.setWordWrap(True)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        line = QHBoxLayout()
        line.setSpacing(SPACE_XS)
        if not can_remove:
            line.addStretch(1)
        line.addWidget(self.label)
        line.addWidget(self.details_button)
        line.addWidget(self.remove_button)
        if can_remove:
            line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(line)
        layout.addWidget(self.details)
        self._restyle()
        self.hide()

    def show_task(self, key: str, question: str) -> None:
        """Name a task.

        Args:
            key: of a preset; empty hides the chip.
            question: what the model is asked, for the details.
        """
        self._key, self._question = key, question
        self.setVisible(bool(key))
        self.retranslate()

    def retranslate(self) -> None:
        """Speak the language of now."""
        preset = find_preset(self._key)
        # A task of another version of this program keeps its key for a name.
        name = QCoreApplication.translate("TaskPresets", preset.name) if preset else self._key
        self.label.setText(name)
        self.label.setAccessibleName(self.tr("Task: %1").replace("%1", name))
        shown = not self.details.isHidden()
        words = self.tr("Hide what the model is asked") if shown else self.tr("Show what the model is asked")
        self.details_button.set_words("", words)
        self.remove_button.set_words("", self.tr("Without this task"))
        self.details.setText(self._question)

    def changeEvent(self, event: QEvent) -> None:
        """Language and colours of now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        elif is_palette_change(event):
            self._restyle()

    def _toggle(self) -> None:
        self.details.setVisible(self.details.isHidden())
        self.retranslate()
        self.resized.emit()

    def _restyle(self) -> None:
        colors = colors_of(self)
        for label in (self.label, self.details):
            label.setFont(fonts().small)
        sheet = (
            f"color: {colors.text}; border: 1px solid {colors.border}; "
            f"border-radius: {RADIUS_S}px; padding: 2px {SPACE_S}px"
        )
        if self.label.styleSheet() != sheet:
            self.label.setStyleSheet(sheet)
            self.details.setStyleSheet(f"color: {colors.text_secondary}")
