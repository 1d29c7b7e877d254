"""A page beside what the model made of it: a block and its region on the page are linked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QHBoxLayout, QTextBrowser, QWidget

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
        self.page.anchorClicked.connect(self._on_link)
        self.canvas.chosen.connect(self._show_block)

    def _on_link(self, address: QUrl) -> None:
        number = address.path()
        self.canvas.highlight(int(number) if address.scheme() == _SCHEME and number.isdecimal() else -1)

    def _show_block(self, index: int) -> None:
        self.page.scrollToAnchor(f"place-{index}")
