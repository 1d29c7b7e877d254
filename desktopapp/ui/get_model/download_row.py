"""One download: its name, a bar, how it goes, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.get_model.downloads import DownloadEntry, DownloadState
from desktopapp.ui.get_model.words import progress_words
from desktopapp.ui.theme import colors_of, set_style_property
from desktopapp.ui.tokens import SPACE_M, SPACE_S, SPACE_XS
from desktopapp.ui.wording import error_sentences

_BAR_HEIGHT = 6


class ProgressLine(QWidget):
    """A thin bar; read aloud by the row that it stands in."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._share = 0.0
        self.setFixedHeight(_BAR_HEIGHT)

    def show_share(self, share: float) -> None:
        """Show 0..1."""
        if share != self._share:
            self._share = share
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, _BAR_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = colors_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        radius = _BAR_HEIGHT / 2
        for color, share in ((colors.border, 1.0), (colors.accent, self._share)):
            painter.setBrush(QColor(color))
            width = self.width() * share
            if width >= 1:
                painter.drawRoundedRect(QRectF(0, 0, max(width, _BAR_HEIGHT), _BAR_HEIGHT), radius, radius)


class DownloadRow(QFrame):
    """Shows one `DownloadEntry`.

    Signals:
        paused, resumed, removed: the person pressed that button; carries the entry's key.
        used: the person wants the model that is here; carries its name.
    """

    paused = Signal(str)
    resumed = Signal(str)
    removed = Signal(str)
    used = Signal(str)

    def __init__(self, entry: DownloadEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self.setProperty("role", "card")
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._state = ElidedLabel(self)
        self._problem = QLabel(self)
        self._bar = ProgressLine(self)
        self.action = QPushButton(self)
        self.remove = QPushButton(self)
        self._build()
        self.action.clicked.connect(self._on_action)
        self.remove.clicked.connect(lambda: self.removed.emit(self.entry.key))
        self.show_entry(entry)

    def show_entry(self, entry: DownloadEntry) -> None:
        """Show how it stands now."""
        self.entry = entry
        name = f"{entry.download.name} · {entry.download.precision}"
        words = progress_words(entry)
        self._name.set_full_text(name)
        self._state.set_full_text(words)
        total = entry.download.total_bytes or 1
        self._bar.show_share(entry.done_bytes / total)
        self._bar.setVisible(entry.state is not DownloadState.DONE)
        problem = error_sentences(entry.failed) if entry.failed is not None else ""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._name_buttons(entry)
        self.setAccessibleName(f"{name}, {words}")
        self.setAccessibleDescription(problem)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.show_entry(self.entry)
        super().changeEvent(event)

    def _name_buttons(self, entry: DownloadEntry) -> None:
        action = {
            DownloadState.WAITING: self.tr("Pause"),
            DownloadState.RUNNING: self.tr("Pause"),
            DownloadState.PAUSED: self.tr("Resume"),
            DownloadState.FAILED: self.tr("Try again"),
            DownloadState.DONE: self.tr("Use it"),
        }[entry.state]
        is_done = entry.state is DownloadState.DONE
        remove = self.tr("Take off the list") if is_done else self.tr("Cancel and delete")
        for button, text in ((self.action, action), (self.remove, remove)):
            button.setText(text)
            button.setAccessibleName(f"{text}: {entry.download.name}")
        self.remove.setVisible(entry.state not in (DownloadState.RUNNING, DownloadState.WAITING))
        set_style_property(self.action, "role", "primary" if is_done else "")

    def _on_action(self) -> None:
        key, state = self.entry.key, self.entry.state
        if state is DownloadState.DONE:
            self.used.emit(self.entry.download.name)
        elif state in (DownloadState.RUNNING, DownloadState.WAITING):
            self.paused.emit(key)
        else:
            self.resumed.emit(key)

    def _build(self) -> None:
        self._state.setProperty("role", "secondary")
        self._problem.setProperty("role", "danger")
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self.remove.setProperty("role", "quiet")
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_XS)
        for widget in (self._name, self._bar, self._state, self._problem):
            texts.addWidget(widget)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        layout.setSpacing(SPACE_M)
        layout.addLayout(texts, 1)
        layout.addWidget(self.remove)
        layout.addWidget(self.action)
