"""What a person does to the whole window, for its tests."""

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
)
from PySide6.QtWidgets import QApplication

from desktopapp.app import Desktop


def drop(desktop: Desktop, mime: QMimeData) -> QDropEvent:
    """What Qt delivers to the window for a drop."""
    window, copy = desktop.window, Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    enter = QDragEnterEvent(QPoint(300, 300), actions, mime, buttons, keys)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDragMoveEvent(QPoint(310, 300), copy, mime, buttons, keys))
    event = QDropEvent(QPointF(310, 300), actions, mime, buttons, keys)
    QApplication.sendEvent(window, event)
    return event


def files(*paths: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def ask(desktop: Desktop, text: str) -> None:
    desktop.window.composer.set_text(text)
    desktop.window.composer.edit.submitted.emit()


def roles(desktop: Desktop) -> list[str]:
    return [f"{message.role}:{message.state}" for message in desktop.session.chat.messages]
