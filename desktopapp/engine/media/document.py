"""PDF documents: counted and measured by their header, each page rendered when its turn comes."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from desktopapp.attachment_errors import PagesMissing
from desktopapp.engine.media.file import open_regular_file
from desktopapp.engine.media.page_process import PAGE_LIMIT_S, PageSource
from desktopapp.engine.media.pdfium_pages import DrawnPage, blamed_on, draw_page, load_document, page_text
from desktopapp.engine.media.selection import DEFAULT_DPI, DPI_RANGE, WHOLE, MediaSelection

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

PAGE_PIXEL_LIMIT = 16_777_216
"""Most pixels of a rendered page: the most that the model is shown of a picture."""

_POINTS_PER_INCH = 72
_LONGEST_SIDE_PX = 16_384
_ASPECT_LIMIT = 200
_SIGNATURE = b"%PDF-"

# PDFium keeps global state, and prices are read by another thread than pages.
_pdfium_lock = threading.Lock()


class DocumentFile:
    """An open PDF. Its pages are drawn in a process of their own, see `page_process`.

    Args:
        path: of the file.
        password: that opens it, or None.
        page_limit_s: how long a page may take to be drawn or read.

    Raises:
        AttachmentGone: there is no such file.
        AttachmentUnreadable: it may not be read.
        DocumentDamaged: it cannot be opened, or has no pages.
        DocumentLocked: it wants a password, or another one.
    """

    def __init__(self, path: str, password: str | None = None, page_limit_s: float = PAGE_LIMIT_S) -> None:
        self.path = path
        self._name = Path(path).name
        self._password = password
        self._page_limit_s = page_limit_s
        self._pages: PageSource | None = None
        self._file = open_regular_file(path)
        try:
            with _pdfium_lock, blamed_on(self._name):
                self._document = load_document(self._file, password, self._name)
                self.page_count = len(self._document)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._pages is not None:
            self._pages.close()
            self._pages = None
        with _pdfium_lock:
            self._document.close()
        self._file.close()

    def page_size(self, number: int) -> tuple[float, float]:
        """Width and height of a page in points, above zero; read without the page's content.

        Args:
            number: of the page, from 1.
        """
        with _pdfium_lock, blamed_on(self._name):
            sides = self._document.get_page_size(number - 1)
        width, height = (side if math.isfinite(side) and side > 0 else 1.0 for side in sides)
        return width, height

    def render(self, number: int, width: int, height: int) -> RgbArray:
        """Draw a page on white: uint8 (height, width, 3), RGB, 0..255.

        Args:
            number: of the page, from 1.
            width: in pixels; the page is stretched where it has another shape.
            height: in pixels.

        Raises:
            DocumentDamaged: it cannot be drawn.
            AttachmentNeedsMemory: too little is free.
            PageTooSlow: it is not drawn within the limit.
        """
        return _to_rgb(self._draw(number, width, height), width, height)

    def text(self, number: int) -> str:
        """The page's own text, empty where it has none, cut after 20,000 characters; raises as `render`.

        Args:
            number: of the page, from 1.
        """
        pages = self._page_source()
        if pages is not None:
            text = pages.text(number)
        else:
            with _pdfium_lock, blamed_on(self._name):
                text = page_text(self._document, number)
        return text.replace("\r\n", "\n").replace("\0", "").strip()

    def _draw(self, number: int, width: int, height: int) -> DrawnPage:
        pages = self._page_source()
        if pages is not None:
            return pages.draw(number, width, height)
        with _pdfium_lock, blamed_on(self._name):
            return draw_page(self._document, number, width, height, self._name)

    def _page_source(self) -> PageSource | None:
        """Draws in a process of its own; None where none can be started."""
        if self._pages is None:
            try:
                self._pages = PageSource(self.path, self._password, self._page_limit_s)
            except OSError:
                return None
        return self._pages


class PageImage:
    """One page, an `ImageSource` for backends.

    Args:
        document: open.
        number: of the page, from 1.
        dpi: dots an inch to render at; less where the page would be too large.
    """

    note = ""

    def __init__(self, document: DocumentFile, number: int, dpi: int) -> None:
        self.path = document.path
        self.number = number
        self.width, self.height = page_pixels(*document.page_size(number), dpi)
        self._document = document
        self._dpi = dpi

    def enlarged(self, pixels: float) -> PageImage:
        """The same page drawn with more pixels, within the limits of resolution and size.

        Args:
            pixels: that are wanted; fewer than it has change nothing.
        """
        finer = self._dpi * math.sqrt(max(1.0, pixels / (self.width * self.height)))
        return PageImage(self._document, self.number, round(min(finer, max(self._dpi, DPI_RANGE[1]))))

    def decode(self) -> RgbArray:
        """The pixels: uint8 (height, width, 3), RGB, 0..255.

        Raises:
            DocumentDamaged: the page cannot be drawn.
            AttachmentNeedsMemory: too little is free.
            PageTooSlow: not within the limit.
        """
        return self._document.render(self.number, self.width, self.height)

    def text(self) -> str:
        """The page's own text, or empty."""
        return self._document.text(self.number)


def is_document(head: bytes) -> bool:
    """Whether a file's first bytes are those of a PDF, which may have other bytes before its signature."""
    return _SIGNATURE in head[:1024]


def open_document(path: str, selection: MediaSelection = WHOLE) -> tuple[DocumentFile, tuple[PageImage, ...]]:
    """Open a document and measure the chosen pages; none is rendered.

    Args:
        path: of the file.
        selection: page range, resolution, password.

    Raises:
        AttachmentError: it cannot be used; see `DocumentFile`.
        PagesMissing: the range lies outside of the document.
    """
    document = DocumentFile(path, selection.password)
    try:
        last = document.page_count if selection.last_page is None else selection.last_page
        if not 1 <= selection.first_page <= last <= document.page_count:
            raise PagesMissing(
                name=Path(path).name, first=selection.first_page, last=last, pages=document.page_count
            )
        dpi = min(max(selection.dpi or DEFAULT_DPI, DPI_RANGE[0]), DPI_RANGE[1])
        numbers = range(selection.first_page, last + 1)
        return document, tuple(PageImage(document, number, dpi) for number in numbers)
    except BaseException:
        document.close()
        raise


def page_pixels(width_pt: float, height_pt: float, dpi: int) -> tuple[int, int]:
    """The size to render a page at: whole pixels, its shape kept as far as the limits allow.

    Args:
        width_pt: of the page, in points of 1/72 inch.
        height_pt: likewise.
        dpi: dots an inch.
    """
    scale = dpi / _POINTS_PER_INCH
    scale = min(scale, math.sqrt(PAGE_PIXEL_LIMIT / (width_pt * height_pt)))
    scale = min(scale, _LONGEST_SIDE_PX / max(width_pt, height_pt))
    width, height = (max(1, round(side * scale)) for side in (width_pt, height_pt))
    # A strip that is narrower than any model takes becomes a little wider.
    thinnest = -(-max(width, height) // _ASPECT_LIMIT)
    return max(width, thinnest), max(height, thinnest)


def _to_rgb(drawn: DrawnPage, width: int, height: int) -> RgbArray:
    import numpy as np
    from PIL import Image

    rows = np.frombuffer(drawn.pixels, np.uint8).reshape(drawn.height, drawn.stride)
    pixels = rows[:, : drawn.width * drawn.channels].reshape(drawn.height, drawn.width, drawn.channels)[
        :, :, :3
    ]
    if pixels.shape[:2] == (height, width):
        return np.array(pixels, order="C")
    # PDFium rounds sides up.
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
