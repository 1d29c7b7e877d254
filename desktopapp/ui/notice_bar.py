"""Notices above the conversation: what happened and what to do; never in the way, closed by the person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import ICON_SIZE, SPACE_M, SPACE_S, SPACE_XS

_MOST_AT_ONCE = 2


class NoticeLevel(StrEnum):
    """How serious a notice is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice.

    Args:
        level: how serious.
        message: what happened.
        remedy: what to do, or empty.
        topic: a newer notice of the same topic takes this one's place; empty for none.
    """

    level: NoticeLevel
    message: str
    remedy: str = ""
    topic: str = ""


class _NoticeRow(QFrame):
    """One notice with its icon and its Close button."""

    def __init__(self, notice: Notice, on_close: Callable[[_NoticeRow], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("notice", str(notice.level))
        self.setAccessibleName(f"{notice.message} {notice.remedy}".strip())
        self._icon = QLabel(self)
        self._close = QToolButton(self)
        self._close.setProperty("role", "quiet")
        self._close.setProperty("shape", "small")
        self._close.setIconSize(QSize(14, 14))
        self._close.clicked.connect(lambda: on_close(self))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._text(notice.message))
        if notice.remedy:
            remedy = self._text(notice.remedy)
            remedy.setProperty("role", "secondary")
            texts.addWidget(remedy)
        layout.addLayout(texts, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._retint()
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _text(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _retint(self) -> None:
        colors = colors_of(self)
        tint = {
            NoticeLevel.INFO: colors.on_accent_soft,
            NoticeLevel.WARNING: colors.warning,
            NoticeLevel.ERROR: colors.danger,
        }[self.notice.level]
        name = "info" if self.notice.level is NoticeLevel.INFO else "warning"
        self._icon.setPixmap(
            tinted_icon(name, tint).pixmap(QSize(ICON_SIZE, ICON_SIZE), self.devicePixelRatio())
        )
        self._close.setIcon(tinted_icon("close", colors.text_secondary, size=14))

    def _retranslate(self) -> None:
        self._close.setToolTip(self.tr("Close"))
        self._close.setAccessibleName(self.tr("Close this notice"))


class NoticeBar(QWidget):
    """The newest notices, newest last; older ones make room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_XS)
        self._rows: list[_NoticeRow] = []
        self.hide()

    @property
    def notices(self) -> list[Notice]:
        """What is shown, oldest first."""
        return [row.notice for row in self._rows]

    def show_notice(self, notice: Notice) -> None:
        """Show a notice, and tell assistive technology about it."""
        for row in list(self._rows):
            if row.notice == notice or (notice.topic and row.notice.topic == notice.topic):
                self._remove(row)
        while len(self._rows) >= _MOST_AT_ONCE:
            self._remove(self._rows[0])
        row = _NoticeRow(notice, self._remove, self)
        self._rows.append(row)
        self._layout.addWidget(row)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(row, QAccessible.Event.Alert))

    def clear_topic(self, topic: str) -> None:
        """Take back the notices of a topic, when what they said is over."""
        for row in [row for row in self._rows if row.notice.topic == topic]:
            self._remove(row)

    def clear(self) -> None:
        """Take all notices back."""
        for row in list(self._rows):
            self._remove(row)

    def _remove(self, row: _NoticeRow) -> None:
        self._rows.remove(row)
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(bool(self._rows))
