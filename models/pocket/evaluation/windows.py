"""Crops of this program's own window, light and dark: what its labels, buttons and menus say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QMenu, QWidget

from models.pocket.evaluation.item import Item

QUESTION = "Read the text in this picture."
_MARGIN_PX = 6
_NOTICES = (
    ("The picture was made smaller.", "Attach a part of it to see small print."),
    ("The model ran out of memory.", "Choose a smaller model, or close other programs."),
    ("The answer was cut off.", "Ask it to go on."),
)


def own_window_items(folder: Path) -> list[Item]:
    """Crops of the main window, its menus, notices and dialogs, in both themes; needs a QApplication."""
    from desktopapp.ui.theme import ThemeChoice, ThemeController

    items: list[Item] = []
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise TypeError("the crops need a QApplication")
    theme = ThemeController(application)
    for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
        theme.choose(choice)
        seen: set[str] = set()
        for index, window in enumerate(_open_windows()):
            QApplication.processEvents()
            for item in window_items(window, folder, f"window-{choice}-{index}-"):
                # The same words once a theme.
                if str(item.expected) not in seen:
                    seen.add(str(item.expected))
                    items.append(item)
            window.close()
    return items


def _open_windows() -> list[QWidget]:
    from desktopapp.crash_report import CrashReport
    from desktopapp.settings import Settings
    from desktopapp.ui.conversation.view import ConversationView
    from desktopapp.ui.crash_dialog import CrashDialog
    from desktopapp.ui.main_window import MainWindow
    from desktopapp.ui.notice_bar import Notice, NoticeBar, NoticeLevel

    window = MainWindow(ConversationView(), Settings())
    window.resize(900, 640)
    window.show()
    window.show_shortcuts()
    crash = CrashDialog(CrashReport("no report", "no report"))
    crash.show()
    notices = NoticeBar()
    for level, (message, remedy) in zip(NoticeLevel, _NOTICES, strict=True):
        notices.show_notice(Notice(level, message, remedy))
    notices.resize(900, 200)
    notices.show()
    return [window, *window.findChildren(QDialog), *window.findChildren(QMenu), crash, notices]


def window_items(window: QWidget, folder: Path, prefix: str) -> list[Item]:
    """One crop for each button, one-line label or line of a menu that has an ASCII text and is seen whole."""
    items: list[Item] = []
    shown = window.grab()
    for place, text in [*_menu_texts(window), *_widget_texts(window)]:
        crop = place.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX).intersected(shown.rect())
        name = f"{prefix}{len(items):02d}.png"
        _save(shown.copy(crop), folder / name)
        items.append(Item("window", (name,), QUESTION, text))
    return items


def _menu_texts(window: QWidget) -> list[tuple[QRect, str]]:
    if not isinstance(window, QMenu):
        return []
    texts = [(window.actionGeometry(action), action.text().replace("&", "")) for action in window.actions()]
    return [(place, text) for place, text in texts if text and text.isascii() and place.isValid()]


def _widget_texts(window: QWidget) -> list[tuple[QRect, str]]:
    """Texts of children; nothing hidden, half hidden or cut short by its own width."""
    texts = []
    for widget in window.findChildren(QWidget):
        # Dialogs and menus are children as well, but stand in windows of their own.
        own = widget.window() is window and widget.isVisibleTo(window)
        if not own or not isinstance(widget, QAbstractButton | QLabel):
            continue
        text = widget.text().replace("&", "").strip()
        if widget.visibleRegion().boundingRect() != widget.rect():
            continue
        plain = text.isascii() and "\n" not in text and "<" not in text
        if plain and text and widget.fontMetrics().horizontalAdvance(text) <= widget.width():
            texts.append((QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()), text))
    return texts


def _save(crop: QPixmap, file: Path) -> None:
    if not crop.save(str(file)):
        raise OSError(f"cannot write {file}")
