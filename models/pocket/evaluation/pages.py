"""Pictures that no generator made: crops of this program's own window and of its README as Qt sets it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTextCursor, QTextDocument
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from models.pocket.evaluation.items import Item

_QUESTION = "Read the text in this picture."
_MARGIN_PX = 6
_PAGE_WIDTH_PX, _PAGE_LETTERS_PX, _LINES_A_CROP = 460, 18, 5


def own_window_items(folder: Path) -> list[Item]:
    """Crops of the main window, as it opens, and of the list of shortcuts."""
    from desktopapp.settings import Settings
    from desktopapp.ui.conversation.view import ConversationView
    from desktopapp.ui.main_window import MainWindow
    from desktopapp.ui.shortcuts_dialog import ShortcutsDialog

    shortcuts = [("Ctrl+O", "Attach files"), ("Ctrl+N", "New conversation"), ("Esc", "Stop the answer")]
    items: list[Item] = []
    for window in (MainWindow(ConversationView(), Settings()), ShortcutsDialog(shortcuts)):
        window.resize(900, 640)
        window.show()
        QApplication.processEvents()
        items += window_items(window, folder, f"{type(window).__name__}-")
        window.close()
    return items


def window_items(window: QWidget, folder: Path, prefix: str) -> list[Item]:
    """One crop for each button and one-line label of a shown window that has an ASCII text and is seen whole."""
    items: list[Item] = []
    shown = window.grab().toImage()
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, QAbstractButton | QLabel) or not widget.isVisibleTo(window):
            continue
        text = widget.text().replace("&", "").strip()
        if widget.visibleRegion().boundingRect() != widget.rect():
            continue
        plain = text.isascii() and "\n" not in text and "<" not in text
        if not plain or not text or widget.fontMetrics().horizontalAdvance(text) > widget.width():
            continue
        place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
        name = f"{prefix}{len(items):02d}.png"
        crop = place.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX).intersected(shown.rect())
        shown.copy(crop).save(str(folder / name))
        items.append(Item("window", (name,), _QUESTION, text))
    return items


def page_items(markdown: str, folder: Path) -> list[Item]:
    """Crops of a document's paragraphs, some lines each; other blocks (code, tables) are left out."""
    document = QTextDocument()
    font = document.defaultFont()
    font.setPixelSize(_PAGE_LETTERS_PX)
    document.setDefaultFont(font)
    document.setMarkdown(markdown)
    document.setTextWidth(_PAGE_WIDTH_PX)
    page = QImage(_PAGE_WIDTH_PX, int(document.size().height()) + 1, QImage.Format.Format_RGB32)
    page.fill(QColor("white"))
    painter = QPainter(page)
    document.drawContents(painter, QRectF(page.rect()))
    painter.end()
    items: list[Item] = []
    block = document.begin()
    while block.isValid():
        box = document.documentLayout().blockBoundingRect(block)
        layout = block.layout()
        lines = [layout.lineAt(index) for index in range(layout.lineCount())]
        texts = [block.text()[line.textStart() :][: line.textLength()].strip() for line in lines]
        in_table = QTextCursor(block).currentTable() is not None
        if not in_table and block.text().isascii() and all(texts) and len(texts) > 1:
            for start in range(0, len(lines), _LINES_A_CROP):
                few = lines[start : start + _LINES_A_CROP]
                top = int(box.top() + few[0].y()) - 2
                bottom = int(box.top() + few[-1].y() + few[-1].height()) + 2
                name = f"page-{len(items):02d}.png"
                page.copy(QRect(0, top, _PAGE_WIDTH_PX, bottom - top)).save(str(folder / name))
                items.append(Item("page", (name,), _QUESTION, "\n".join(texts[start : start + len(few)])))
        block = block.next()
    return items
