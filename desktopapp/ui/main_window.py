"""The main window: where everything stands, what the keys do, and what may be dropped on it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMainWindow, QToolButton, QVBoxLayout, QWidget

from desktopapp.settings import Settings
from desktopapp.ui.composer import Composer
from desktopapp.ui.conversation import ConversationView
from desktopapp.ui.drop_overlay import DropOverlay
from desktopapp.ui.icons import application_icon, tinted_icon
from desktopapp.ui.incoming import MEDIA_SUFFIXES, is_welcome
from desktopapp.ui.model_picker import ModelPicker
from desktopapp.ui.notice_bar import NoticeBar
from desktopapp.ui.settings_menu import SettingsMenu
from desktopapp.ui.status_line import StatusLine
from desktopapp.ui.tab_order import move_focus
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import COLUMN_WIDTH, ICON_SIZE, SPACE_L, SPACE_M, SPACE_S

_APPLICATION_TITLE = "Qwen3-VL Desktop"
_LONGEST_TITLE = 60
_LEAST_WIDTH = 560
_FIRST_SIZE = QSize(1000, 760)
_FRAME_PX = 40
"""What a title bar takes of the screen's height at most."""


class MainWindow(QMainWindow):
    """The window around a conversation view.

    Args:
        view: shows the conversation; the window takes it over.
        settings: for the menu.

    Signals:
        media_dropped: carries the `QMimeData` of a drop.
        files_chosen: paths (`list[str]`) from the Attach dialog.
        new_requested: a fresh conversation is wanted.
        stop_requested: the running answer should stop.
        search_requested: the person wants to search earlier conversations.
        closed: the window is about to close.
        painted_first: the window was painted for the first time.
    """

    media_dropped = Signal(QMimeData)
    files_chosen = Signal(object)
    new_requested = Signal()
    stop_requested = Signal()
    search_requested = Signal()
    closed = Signal()
    painted_first = Signal()

    def __init__(self, view: ConversationView, settings: Settings) -> None:
        super().__init__()
        self.view = view
        self._topic = ""
        self._is_painted = False
        self._side_panels: list[QWidget] = []
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.picker = ModelPicker(self)
        self.settings_menu = SettingsMenu(settings, self)
        self.notices = NoticeBar(self)
        self.composer = Composer(self)
        self.status = StatusLine(self)
        self.status.gauge.keep_clear(self.composer)
        self.history_button = QToolButton(self)
        self.history_button.setProperty("role", "quiet")
        self.history_button.setProperty("shape", "square")
        self.history_button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.history_button.setCheckable(True)
        self._new = QToolButton(self)
        self._new.setProperty("role", "quiet")
        self._new.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._new.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self._random_note = QLabel(self)
        self._random_note.setProperty("role", "warning")
        self._random_note.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._random_note.hide()
        self._build()
        self._overlay = DropOverlay(self)
        self._make_actions()
        self._retint()
        self._retranslate()
        self.resize(_FIRST_SIZE)
        self.setMinimumSize(_LEAST_WIDTH, 440)
        self.composer.edit.setFocus()

    def fit_screen(self) -> None:
        """Be no larger than the screen: the line at the bottom would lie below the edge of a small one."""
        room = self.screen().availableGeometry().size() - QSize(0, _FRAME_PX)
        self.resize(_FIRST_SIZE.boundedTo(room).expandedTo(self.minimumSize()))

    def show_topic(self, topic: str) -> None:
        """Name the window after the conversation's first words; empty for a new one."""
        line = " ".join(topic.split())
        self._topic = line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
        self._retitle()

    def show_random_weights(self, random: bool) -> None:
        """Say, or no longer say, that answers mean nothing."""
        self._random_note.setVisible(random)

    def choose_files(self) -> None:
        """Open the Attach dialog."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(MEDIA_SUFFIXES))
        media, everything = self.tr("Pictures, videos, PDF"), self.tr("All files")
        filters = f"{media} ({patterns});;{everything} (*)"
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Attach files"), "", filters)
        if chosen:
            self.files_chosen.emit(chosen)

    def add_side_panel(self, panel: QWidget) -> None:
        """Put a panel at the left of everything."""
        self._columns.insertWidget(0, panel)
        self._side_panels.append(panel)

    def widen_for(self, side_width: int) -> None:
        """Keep room for the conversation beside open panels of this width, in device-independent pixels."""
        self.setMinimumWidth(_LEAST_WIDTH + side_width)

    def focus_composer(self) -> None:
        """Give the keyboard to the message field."""
        self.composer.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_shortcuts(self) -> None:
        """Open the list of keyboard shortcuts."""
        from desktopapp.ui.shortcuts_dialog import ShortcutsDialog

        ShortcutsDialog(self._shortcuts(), self).open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if is_welcome(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._overlay.cover()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._overlay.hide()
        # Copy, whatever was offered: a move would make the file manager delete the person's file.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.media_dropped.emit(event.mimeData())
        self.activateWindow()
        self.composer.edit.setFocus()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab follows the eye, not the order in which widgets were made."""
        areas = (
            *self._side_panels,
            self.history_button,
            self.picker,
            self._new,
            self.settings_menu,
            self.view,
            self.notices,
            *self.composer.tab_areas,
            self.status,
        )
        return move_focus(areas, self.focusWidget(), forward)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._overlay.isVisible():
            self._overlay.cover()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self.painted_first.emit)

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.hide()  # at once: what ends now may take seconds
        self.closed.emit()
        super().closeEvent(event)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_S)
        top.setSpacing(SPACE_S)
        top.addWidget(self.history_button)
        top.addWidget(self.picker)
        top.addStretch()
        top.addWidget(self._new)
        top.addWidget(self.settings_menu)
        middle = QVBoxLayout()
        middle.setSpacing(SPACE_S)
        for widget in (self._random_note, self.notices, self.composer):
            middle.addWidget(widget)
        column = QWidget(self)
        column.setLayout(middle)
        column.setMaximumWidth(COLUMN_WIDTH)
        middle.setContentsMargins(0, 0, 0, 0)
        centred = QHBoxLayout()
        centred.setContentsMargins(SPACE_L, SPACE_S, SPACE_L, SPACE_S)
        centred.addStretch(1)
        centred.addWidget(column, 100)
        centred.addStretch(1)
        content = QWidget(self)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.view, 1)
        layout.addLayout(centred)
        layout.addWidget(self.status)
        outer = QWidget(self)
        self._columns = QHBoxLayout(outer)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.setSpacing(0)
        self._columns.addWidget(content, 1)
        self.setCentralWidget(outer)

    def _make_actions(self) -> None:
        self._new.clicked.connect(self.new_requested)
        self.picker.chosen.connect(self.focus_composer)
        self.composer.attach_requested.connect(self.choose_files)
        self.composer.stop_requested.connect(self.stop_requested)
        self.settings_menu.shortcuts_requested.connect(self.show_shortcuts)
        for key, slot in {
            "Ctrl+N": self.new_requested.emit,
            "Ctrl+O": self.choose_files,
            "Ctrl+Shift+S": self.composer.capture_requested.emit,
            "Ctrl+B": self.history_button.toggle,
            "Ctrl+K": self.search_requested.emit,
            "Ctrl+F": self.search_requested.emit,
            "Ctrl+,": self.settings_menu.all_requested.emit,
            "Ctrl+L": self.focus_composer,
            "Ctrl+M": self.picker.open,
            "Esc": self.stop_requested.emit,
            "F1": self.show_shortcuts,
        }.items():
            action = QAction(self)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(slot)
            self.addAction(action)

    def _shortcuts(self) -> list[tuple[str, str]]:
        return [
            ("Enter", self.tr("Send, or queue while an answer runs")),
            ("Shift+Enter", self.tr("Break the line")),
            ("Ctrl+Shift+S", self.tr("Capture the screen")),
            ("Esc", self.tr("Stop the answer")),
            ("Ctrl+V", self.tr("Paste text, a screenshot or files")),
            ("Ctrl+O", self.tr("Attach files")),
            ("Ctrl+N", self.tr("New conversation")),
            ("Ctrl+B", self.tr("Show or hide earlier conversations")),
            ("Ctrl+F", self.tr("Search conversations")),
            ("Ctrl+L", self.tr("Go to the message field")),
            ("Ctrl+M", self.tr("Choose a model")),
            ("Ctrl+,", self.tr("All settings")),
            ("F1", self.tr("This list")),
        ]

    def _retint(self) -> None:
        secondary = colors_of(self).text_secondary
        self.history_button.setIcon(tinted_icon("sidebar", secondary, size=ICON_SIZE))
        self._new.setIcon(tinted_icon("new", secondary, size=ICON_SIZE))

    def _retitle(self) -> None:
        topic = self._topic or self.tr("New conversation")
        self.setWindowTitle(f"{topic} - {_APPLICATION_TITLE}")

    def _retranslate(self) -> None:
        self._retitle()
        # Qt leaves no room between icon and text.
        self._new.setText(" " + self.tr("New conversation"))
        self._new.setAccessibleName(self.tr("New conversation"))
        self._new.setToolTip(self.tr("New conversation (Ctrl+N)"))
        self.history_button.setAccessibleName(self.tr("Earlier conversations"))
        self.history_button.setToolTip(self.tr("Earlier conversations (Ctrl+B)"))
        note = self.tr("Random weights: answers mean nothing")
        self._random_note.setText(note)
        self._random_note.setAccessibleName(note)
