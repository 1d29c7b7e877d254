"""Pictures that no generator made: paragraphs of this project's documents as Qt sets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTextBlock, QTextCursor, QTextDocument

from models.pocket.evaluation.item import Item
from models.pocket.evaluation.windows import QUESTION

# Width of the page, and letters' em, px: one after the other.
_SETTINGS = ((460, 18), (380, 18), (540, 20), (420, 22))
_LINES_A_CROP = (5, 3, 6, 4)


def page_items(documents: list[Path], folder: Path) -> list[Item]:
    """Crops of Markdown documents' paragraphs, three to six lines each; lists, code and tables are left out."""
    items: list[Item] = []
    for index, document in enumerate(documents):
        width, letters = _SETTINGS[index % len(_SETTINGS)]
        page = _set(document.read_text(encoding="utf-8"), width, letters)
        painted = _paint(page)
        for top, bottom, text in _crops(page, _LINES_A_CROP[index % len(_LINES_A_CROP)]):
            name = f"page-{len(items):03d}.png"
            painted.copy(QRect(0, top, width, bottom - top)).save(str(folder / name))
            items.append(Item("page", (name,), QUESTION, text))
    return items


def _set(markdown: str, width: int, letters: int) -> QTextDocument:
    page = QTextDocument()
    font = page.defaultFont()
    font.setPixelSize(letters)
    page.setDefaultFont(font)
    page.setMarkdown(markdown)
    page.setTextWidth(width)
    return page


def _paint(page: QTextDocument) -> QImage:
    image = QImage(int(page.textWidth()), int(page.size().height()) + 1, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    page.drawContents(painter, QRectF(image.rect()))
    painter.end()
    return image


def _crops(page: QTextDocument, count: int) -> Iterator[tuple[int, int, str]]:
    """Top and bottom, px, and text of some lines at a time."""
    block = page.begin()
    while block.isValid():
        texts = _lines(block)
        box, layout = page.documentLayout().blockBoundingRect(block), block.layout()
        if (
            QTextCursor(block).currentTable() is None
            and block.textList() is None
            and block.text().isascii()
            and all(texts)
            and len(texts) > 1
        ):
            for start in range(0, len(texts), count):
                few = [layout.lineAt(line) for line in range(start, min(start + count, len(texts)))]
                top = int(box.top() + few[0].y()) - 2
                bottom = int(box.top() + few[-1].y() + few[-1].height()) + 2
                yield top, bottom, "\n".join(texts[start : start + count])
        block = block.next()


def _lines(block: QTextBlock) -> list[str]:
    layout = block.layout()
    lines = [layout.lineAt(index) for index in range(layout.lineCount())]
    return [block.text()[line.textStart() :][: line.textLength()].strip() for line in lines]
