"""Where the person writes: text that grows with its lines, attachments above it, Attach and Send below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QFocusEvent,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from desktopapp.ui.attachment_strip import AttachmentStrip
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.incoming import is_media
from desktopapp.ui.media.task_chip import TaskChip
from desktopapp.ui.media.task_presets import TaskPreset, find_preset
from desktopapp.ui.media.tasks_button import TasksButton
from desktopapp.ui.price_line import PriceLine
from desktopapp.ui.reading_note import ReadingNote
from desktopapp.ui.theme import colors_of, is_palette_change, set_style_property
from desktopapp.ui.tokens import ICON_SIZE, SPACE_M, SPACE_S

if TYPE_CHECKING:
    from desktopapp.conversations import Draft
    from desktopapp.engine.price_events import Planned

_MOST_LINES = 8
_DRAFT_DELAY_MS = 300


class ComposerEdit(QPlainTextEdit):
    """Plain text of one to eight lines.

    Signals:
        submitted: Enter was pressed outside an input method's composition.
        media_pasted: files or a bitmap came from the clipboard; carries the `QMimeData`.
        focus_changed: whether it has the keyboard.
    """

    submitted = Signal()
    media_pasted = Signal(QMimeData)
    focus_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composerEdit")
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self._composing = False
        self.document().documentLayout().documentSizeChanged.connect(self._fit_height)
        self._fit_height()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not self._composing:
            modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier):
                self.submitted.emit()
                return
            if modifiers == Qt.KeyboardModifier.ShiftModifier:
                # Qt would insert U+2028, which is no line break for a model.
                self.insertPlainText("\n")
                self.ensureCursorVisible()
                return
        super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self._composing = bool(event.preeditString())

    def insertFromMimeData(self, source: QMimeData) -> None:
        if is_media(source):
            self.media_pasted.emit(source)
        elif source.hasText():
            self.insertPlainText(source.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return is_media(source) or source.hasText()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Files are the window's business: refusing them here offers them to it.
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.ignore()
            return
        super().dragEnterEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._composing = False
        self.focus_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_height()

    def _fit_height(self) -> None:
        # A plain text document measures its height in lines.
        lines = max(1, min(_MOST_LINES, round(self.document().size().height())))
        margins = 2 * self.document().documentMargin() + 2 * self.frameWidth()
        self.setFixedHeight(round(lines * self.fontMetrics().lineSpacing() + margins) + 2)
        policy = Qt.ScrollBarPolicy
        many = self.document().size().height() > _MOST_LINES
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if many else policy.ScrollBarAlwaysOff)


class Composer(QFrame):
    """The draft and its buttons.

    Signals:
        sent: the person wants this `Draft` sent; it stays until `clear` is called.
        stop_requested: the person wants the running answer to stop.
        attach_requested: the person wants to choose files.
        capture_requested: the person wants a picture of the screen.
        media_pasted: carries the `QMimeData`.
        task_changed: another task was chosen, or none.
        draft_changed: text or attachments changed and rested for 300 ms.
    """

    sent = Signal(object)
    stop_requested = Signal()
    attach_requested = Signal()
    capture_requested = Signal()
    media_pasted = Signal(QMimeData)
    task_changed = Signal()
    draft_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._is_running = False
        self._is_stopping = False
        self._task = ""
        self.strip = AttachmentStrip(self)
        self.reading = ReadingNote(self)
        self.task_chip = TaskChip(can_remove=True, parent=self)
        self.task_chip.removed.connect(lambda: self.set_task(""))
        self.edit = ComposerEdit(self)
        self.setFocusProxy(self.edit)
        self._attach = self._button()
        self._capture = self._button()
        self.tasks = TasksButton(self)
        self._action = self._button()
        self._queue = self._button()
        self._hint = QLabel(self)
        self._hint.setProperty("role", "secondary")
        self._price = PriceLine(self)
        self._price.hide()
        self._draft_timer = QTimer(self, singleShot=True, interval=_DRAFT_DELAY_MS)
        self._build()
        self._connect()
        self._retranslate()

    @property
    def draft(self) -> Draft:
        """What stands here now."""
        # The module brings SQLite with it, which the window's first appearance does not need.
        from desktopapp.conversations import Draft

        return Draft(self.edit.toPlainText(), self.strip.paths, self.strip.selections, self._task)

    @property
    def is_empty(self) -> bool:
        """True where nothing but blanks stands here, nothing is attached, and no task is chosen."""
        return not self.edit.toPlainText().strip() and not self.strip.paths and not self._task

    @property
    def planned(self) -> Planned | None:
        """How the draft would be run, as far as it is known."""
        return self._price.planned

    @property
    def price_text(self) -> str:
        """What the draft costs as a whole, as it is shown; empty where it is not."""
        return self._price.text if self._price.isVisible() else ""

    @property
    def tab_areas(self) -> tuple[QWidget, ...]:
        """Its parts in the order in which Tab goes through them."""
        return (
            self.strip,
            self.reading,
            self.task_chip,
            self.edit,
            self._attach,
            self._capture,
            self.tasks,
            self._queue,
            self._action,
        )

    def clear(self) -> None:
        """Empty text and attachments; Undo brings the text back."""
        self.edit.selectAll()
        self.edit.textCursor().removeSelectedText()
        self.strip.clear()
        self.set_task("")

    def set_text(self, text: str) -> None:
        """Replace the text and put the cursor behind it."""
        self.edit.setPlainText(text)
        cursor = self.edit.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.edit.setTextCursor(cursor)

    def insert_text(self, text: str) -> None:
        """Insert at the cursor."""
        self.edit.insertPlainText(text)
        self.edit.ensureCursorVisible()

    def show_planned(self, planned: Planned | None) -> None:
        """Show what the draft would cost; None where that is not known."""
        self._price.show_planned(planned)
        self._update_action()

    def show_running(self, running: bool, stopping: bool = False) -> None:
        """Make the one button Send or Stop; beside Stop stands Queue while there is something to send."""
        self._is_running = running
        self._is_stopping = stopping
        self._update_action()

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._update_action()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _button(self) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("shape", "square")
        button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        return button

    def _build(self) -> None:
        self._attach.setProperty("role", "quiet")
        self._capture.setProperty("role", "quiet")
        self._queue.setProperty("role", "quiet")
        self._action.setProperty("role", "primary")
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_S)
        buttons.addWidget(self._attach)
        buttons.addWidget(self._capture)
        buttons.addWidget(self.tasks)
        buttons.addWidget(self._hint, 1)
        buttons.addWidget(self._price, 1)
        buttons.addWidget(self._queue)
        buttons.addWidget(self._action)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.strip)
        layout.addWidget(self.reading)
        layout.addWidget(self.task_chip)
        layout.addWidget(self.edit)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self._attach.clicked.connect(self.attach_requested)
        self._capture.clicked.connect(self.capture_requested)
        self.tasks.chosen.connect(self._take_task)
        self._queue.clicked.connect(self._send)
        self._action.clicked.connect(self._on_action)
        self.edit.submitted.connect(self._send)
        self.edit.media_pasted.connect(self.media_pasted)
        self.edit.focus_changed.connect(self._show_focus)
        for changed in (self.edit.textChanged, self.strip.changed):
            changed.connect(self._draft_timer.start)
            changed.connect(self._update_action)
        self.strip.problems_changed.connect(self._update_action)
        self._draft_timer.timeout.connect(self.draft_changed)

    def _on_action(self) -> None:
        if self._is_running:
            self.stop_requested.emit()
        else:
            self._send()

    def _send(self) -> None:
        if not self.is_empty and not self._lacks_words:
            self.sent.emit(self.draft)

    @property
    def _lacks_words(self) -> bool:
        """A task was chosen whose blank only the person's words can fill."""
        preset = find_preset(self._task)
        return preset is not None and preset.needs_words and not self.edit.toPlainText().strip()

    def set_task(self, key: str) -> None:
        """Ask for a task, beside which the person's own words stand; empty for none."""
        preset = find_preset(key)
        self._task = key if preset is not None else ""
        self.task_chip.show_task(self._task, preset.question(QLocale().name()) if preset else "")
        self._retranslate()
        self._draft_timer.start()
        self.task_changed.emit()

    def _take_task(self, preset: TaskPreset) -> None:
        self.set_task(preset.key)
        for card in self.strip.cards:
            card.choose(preset.adjust(card.selection))
        self.edit.setFocus()

    def _show_focus(self, focused: bool) -> None:
        set_style_property(self, "active", focused)

    def _update_action(self) -> None:
        colors = colors_of(self)
        running, stopping = self._is_running, self._is_stopping
        self._action.setEnabled(not stopping if running else not self.is_empty and not self._lacks_words)
        self._action.setIcon(
            tinted_icon("stop" if running else "send", colors.on_accent, colors.text_disabled, ICON_SIZE)
        )
        self._attach.setIcon(tinted_icon("attach", colors.text_secondary, size=ICON_SIZE))
        self._capture.setIcon(tinted_icon("capture", colors.text_secondary, size=ICON_SIZE))
        self._queue.setIcon(tinted_icon("send", colors.accent, size=ICON_SIZE))
        self._queue.setVisible(running and not self.is_empty)
        stop = self.tr("Stopping …") if stopping else self.tr("Stop")
        self._action.setAccessibleName(stop if running else self.tr("Send"))
        self._action.setToolTip(self.tr("Stop (Esc)") if running else self.tr("Send (Enter)"))
        self._hint.setText(self._hint_text())
        self._price.show_unusable(sum(bool(card.problem) for card in self.strip.cards))
        priced = self._is_priced()
        self._price.setVisible(priced)
        self._hint.setVisible(not priced)

    def _is_priced(self) -> bool:
        """A price stands in the place of the hint where it tells something."""
        if any(card.problem for card in self.strip.cards):
            return True
        planned = self._price.planned
        if planned is None or self.is_empty:
            return False
        return bool(self.strip.paths) or not planned.fits or bool(planned.steps_taken)

    def _hint_text(self) -> str:
        if self._is_stopping:
            return self.tr("Stopping …")
        if self._is_running:
            return self.tr("Esc stops the answer") if self.is_empty else self.tr("Enter queues · Esc stops")
        return "" if self.is_empty else self.tr("Enter sends · Shift+Enter breaks the line")

    def _placeholder(self) -> str:
        preset = find_preset(self._task)
        if preset is None:
            return self.tr("Ask about a picture, a video or a PDF: drop, paste or attach it")
        if preset.hint:
            return QCoreApplication.translate("TaskPresets", preset.hint)
        return self.tr("More to say? This may stay empty")

    def _retranslate(self) -> None:
        self.edit.setPlaceholderText(self._placeholder())
        self.edit.setAccessibleName(self.tr("Message"))
        self._attach.setAccessibleName(self.tr("Attach files"))
        self._attach.setToolTip(self.tr("Attach files (Ctrl+O)"))
        self._capture.setAccessibleName(self.tr("Capture the screen"))
        self._capture.setToolTip(self.tr("Capture the screen (Ctrl+Shift+S)"))
        self._queue.setAccessibleName(self.tr("Queue"))
        self._queue.setToolTip(self.tr("Send after this answer (Enter)"))
        self.strip.setAccessibleName(self.tr("Attachments"))
        self._update_action()
