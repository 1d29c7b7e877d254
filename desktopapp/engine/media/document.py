"""PDF documents: counted and measured by their header, each page rendered when its turn comes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktopapp.engine.media.file import open_regular_file
from desktopapp.engine.media.selection import DEFAULT_DPI, DPI_RANGE, WHOLE, MediaSelection
from desktopapp.errors import (
    DocumentDamaged,
    DocumentLocked,
    OutOfMemory,
    PagesMissing,
)

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

PAGE_PIXEL_LIMIT = 16_777_216
"""Most pixels of a rendered page: the most that the model is shown of a picture."""

_POINTS_PER_INCH = 72
_LONGEST_SIDE_PX = 16_384
_ASPECT_LIMIT = 200
_MOST_TEXT = 20_000
_SIGNATURE = b"%PDF-"

# PDFium keeps global state; prices are read by another thread than pages.
_pdfium_lock = threading.Lock()


class DocumentFile:
    """An open PDF.

    Args:
        path: of the file.
        password: that opens it, or None.

    Raises:
        AttachmentGone: there is no such file.
        AttachmentUnreadable: it may not be read.
        DocumentDamaged: it cannot be opened, or has no pages.
        DocumentLocked: it wants a password, or another one.
    """

    def __init__(self, path: str, password: str | None = None) -> None:
        self.path = path
        self._name = Path(path).name
        self._file = open_regular_file(path)
        try:
            with _pdfium_lock:
                self._document = _load(self._file, password, self._name)
                self.page_count = len(self._document)
                # Fields that were filled in are drawn only after this.
                self._document.init_forms()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with _pdfium_lock:
            self._document.close()
        self._file.close()

    def page_size(self, number: int) -> tuple[float, float]:
        """Width and height of a page in points, above zero; read without the page's content.

        Args:
            number: of the page, from 1.
        """
        with _pdfium_lock, _blamed_on(self._name):
            sides = self._document.get_page_size(number - 1)
        width, height = (side if math.isfinite(side) and side > 0 else 1.0 for side in sides)
        return width, height

    def render(self, number: int, width: int, height: int) -> RgbArray:
        """Draw a page on white: uint8 (height, width, 3), RGB, 0..255.

        Args:
            number: of the page, from 1.
            width: in pixels; the page is stretched where it has another shape.
            height: in pixels.
        """
        import numpy as np
        from PIL import Image

        with _pdfium_lock, _blamed_on(self._name):
            page = self._document[number - 1]
            try:
                scale = min(width / page.get_width(), height / page.get_height())
                pixels = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True).to_numpy()
            finally:
                page.close()
        pixels = pixels[:, :, :3]
        if pixels.shape[:2] != (height, width):  # PDFium rounds sides up
            picture = Image.fromarray(np.ascontiguousarray(pixels))
            return np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
        return np.array(pixels, order="C")

    def text(self, number: int) -> str:
        """The page's own text, empty where it has none, cut after 20,000 characters.

        Args:
            number: of the page, from 1.
        """
        with _pdfium_lock, _blamed_on(self._name):
            page = self._document[number - 1]
            try:
                text_page = page.get_textpage()
                try:
                    count = min(text_page.count_chars(), _MOST_TEXT)
                    text: str = text_page.get_text_range(0, count) if count > 0 else ""
                finally:
                    text_page.close()
            finally:
                page.close()
        return text.replace("\r\n", "\n").replace("\0", "").strip()


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
            OutOfMemory: it does not fit.
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


def _load(file: Any, password: str | None, name: str) -> Any:
    import pypdfium2
    from pypdfium2 import raw

    try:
        return pypdfium2.PdfDocument(file, password=password)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise DocumentLocked(name=name) from error
        raise DocumentDamaged(name=name) from error
    except (OSError, ValueError) as error:
        raise DocumentDamaged(name=name) from error


@contextmanager
def _blamed_on(name: str) -> Iterator[None]:
    """Name the document in whatever PDFium raises about it."""
    import pypdfium2

    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(what=f"drawing a page of “{name}”", detail=str(error)) from error
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise DocumentDamaged(name=name) from error
