"""A page beside what the model made of it: a block and its region on the page are linked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QImage,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QTextBrowser, QTextEdit, QWidget

from desktopapp.engine.grounding.document_html import clean_document
from desktopapp.engine.grounding.places import Place
from desktopapp.ui.media.places_canvas import PlacesCanvas
from desktopapp.ui.tokens import SPACE_M

_SCHEME = "place"


class _Page(QTextBrowser):
    """Cleaned HTML; loads nothing, opens nothing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        return None


class DocumentView(QDialog):
    """The page at the left, the document at the right.

    Args:
        image: of the page.
        places: on it.
        source: HTML from `document_source`.
        parent: of the dialog.
    """

    def __init__(
        self, image: QImage, places: Sequence[Place], source: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Document"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.canvas = PlacesCanvas(self)
        self.canvas.show_image(image)
        self.canvas.show_places(places)
        self.canvas.setAccessibleName(self.tr("Page"))
        self.page = _Page(self)
        self.page.setAccessibleName(self.tr("Document"))
        self.page.setHtml(clean_document(source, places))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_M)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.page, 1)
        self.resize(980, 640)
        self.page.highlighted.connect(self._on_link)
        self.canvas.hovered.connect(self._mark_block)
        self.page.anchorClicked.connect(self._on_link)
        self.canvas.chosen.connect(self._show_block)

    def _on_link(self, address: QUrl) -> None:
        number = address.path()
        self.canvas.highlight(int(number) if address.scheme() == _SCHEME and number.isdecimal() else -1)

    def _show_block(self, index: int) -> None:
        self.page.scrollToAnchor(f"place-{index}")
        self._mark_block(index)

    def _mark_block(self, index: int) -> None:
        """Let the block of a place stand out; -1 for none."""
        found = _block_with_anchor(self.page.document(), f"place-{index}") if index >= 0 else None
        marks = []
        if found is not None:
            mark = QTextEdit.ExtraSelection()
            # PySide declares these without the setters of the C++ struct.
            mark.cursor = QTextCursor(found)
            mark.format = QTextCharFormat()
            ground = self.canvas.color(self.canvas.places[index])
            ground.setAlphaF(0.35)
            mark.format.setBackground(ground)
            mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            marks.append(mark)
        self.page.setExtraSelections(marks)


def _block_with_anchor(document: QTextDocument, name: str) -> QTextBlock | None:
    block = document.begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            if name in fragments.fragment().charFormat().anchorNames():
                return block
            fragments += 1
        block = block.next()
    return None
