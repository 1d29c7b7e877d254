"""The field for a repository that the catalogue does not have."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktopapp.ui.tokens import SPACE_S, SPACE_XS


class OtherField(QWidget):
    """A name or link, and the button that asks about it.

    Args:
        host: that is asked.
        parent: of the widget.

    Signals:
        asked: the person wants to know about what was typed; carries it.
    """

    asked = Signal(str)

    def __init__(self, host: str, parent: QWidget) -> None:
        super().__init__(parent)
        label = QLabel(self.tr("Another one:"), self)
        self.edit = QLineEdit(self)
        self.edit.setPlaceholderText(self.tr("owner/name, or the link of its page"))
        self.edit.setAccessibleName(self.tr("Name or link of another repository"))
        label.setBuddy(self.edit)
        self.button = QPushButton(self.tr("Look it up at {host}").format(host=host), self)
        self.button.setAutoDefault(False)
        self.button.setEnabled(False)
        self.problem = QLabel(self)
        self.problem.setProperty("role", "danger")
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        line = QHBoxLayout()
        line.setSpacing(SPACE_S)
        for widget in (label, self.edit, self.button):
            line.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(line)
        layout.addWidget(self.problem)
        self._is_asking = False
        self.edit.textChanged.connect(self._on_text_changed)
        self.edit.returnPressed.connect(self._ask)
        self.button.clicked.connect(self._ask)

    def show_problem(self, text: str) -> None:
        """Say what is wrong with what was typed; empty for nothing."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.edit.setAccessibleDescription(text)

    def show_asking(self, is_asking: bool) -> None:
        """Take no second question while the first is open."""
        self._is_asking = is_asking
        self.button.setEnabled(not is_asking and bool(self.edit.text().strip()))

    def _on_text_changed(self) -> None:
        self.show_problem("")
        self.show_asking(self._is_asking)

    def _ask(self) -> None:
        if self.button.isEnabled():
            self.asked.emit(self.edit.text().strip())
