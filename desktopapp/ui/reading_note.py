"""One line above the message: which folders are being read, and whether the message waits for them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.tokens import SPACE_XS
from desktopapp.ui.wording import file_label

# Most folders are read before anybody could read the line.
_DELAY_MS = 200


class ReadingNote(QWidget):
    """Hidden until something is read for a moment.

    Signals:
        cancelled: the person does not want to wait for it.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: tuple[str, ...] = ()
        self.label = ElidedLabel(self)
        self.awaited = QLabel(self)
        for label in (self.label, self.awaited):
            label.setProperty("role", "secondary")
        self.awaited.hide()
        self.cancel_button = QuietButton("close", self)
        self.cancel_button.clicked.connect(self.cancelled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        # Apart, so that a long name does not push it out of sight.
        layout.addWidget(self.label)
        layout.addWidget(self.awaited)
        layout.addStretch(1)
        layout.addWidget(self.cancel_button)
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self.show)
        self.hide()

    def show_reading(self, paths: Sequence[str]) -> None:
        """Name what is being read; nothing hides the line."""
        self._paths = tuple(paths)
        if not paths:
            self._timer.stop()
            self.awaited.hide()
            self.hide()
        elif self.isHidden() and not self._timer.isActive():
            self._timer.start()
        self._retranslate()

    def show_awaited(self) -> None:
        """Say that the message goes once everything is read."""
        self._timer.stop()
        self.awaited.show()
        self.show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.cancel_button.set_words("", self.tr("Do not attach it"))
        self.awaited.setText(self.tr("The message goes when that is done."))
        if not self._paths:
            return
        text = self.tr("Reading {count} files and folders …").format(count=len(self._paths))
        if len(self._paths) == 1:
            text = self.tr("Reading “{name}” …").format(name=file_label(self._paths[0]))
        self.label.set_full_text(text)
