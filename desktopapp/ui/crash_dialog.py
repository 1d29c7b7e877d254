"""The dialog for what nobody expected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktopapp.crash_report import CrashReport
from desktopapp.ui.check_box import CheckBox
from desktopapp.ui.theme import fonts
from desktopapp.ui.tokens import SPACE_L, SPACE_M


class CrashDialog(QDialog):
    """Says that something unexpected happened, with a report to copy."""

    def __init__(self, report: CrashReport, parent: QWidget | None = None) -> None:
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
                " report to the developers."
            ),
            self,
        )
        advice.setWordWrap(True)
        self._text = text = QPlainTextEdit(report.public, self)
        text.setObjectName("crashReport")
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setFont(fonts().mono)
        text.setAccessibleName(self.tr("Report"))
        everything = CheckBox(self.tr("With the errors' own words and whole paths"), self)
        everything.setToolTip(self.tr("They may quote what you wrote and name your files."))
        everything.toggled.connect(self._on_toggled)
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
        layout.addWidget(everything)
        layout.addWidget(buttons)

    def _on_toggled(self, checked: bool) -> None:
        self._text.setPlainText(self._report.full if checked else self._report.public)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())
        self._copy.setText(self.tr("Copied"))
