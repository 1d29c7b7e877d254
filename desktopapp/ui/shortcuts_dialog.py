"""The list of keyboard shortcuts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QWidget

from desktopapp.ui.theme import fonts
from desktopapp.ui.tokens import SPACE_L, SPACE_S, SPACE_XL


class ShortcutsDialog(QDialog):
    """Shows what each key does.

    Args:
        shortcuts: key (as Qt writes it portably) and what it does, in order.
        parent: of the dialog.
    """

    def __init__(self, shortcuts: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        layout = QGridLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_L, SPACE_XL, SPACE_L)
        layout.setHorizontalSpacing(SPACE_XL)
        layout.setVerticalSpacing(SPACE_S)
        title = QLabel(self.tr("Keyboard shortcuts"), self)
        title.setFont(fonts().title)
        layout.addWidget(title, 0, 0, 1, 2)
        for row, (key, meaning) in enumerate(shortcuts, start=1):
            name = QLabel(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText), self)
            name.setProperty("role", "chip")
            layout.addWidget(name, row, 0, Qt.AlignmentFlag.AlignLeft)
            layout.addWidget(QLabel(meaning, self), row, 1)
        close = QPushButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        layout.addWidget(close, len(shortcuts) + 1, 1, Qt.AlignmentFlag.AlignRight)
