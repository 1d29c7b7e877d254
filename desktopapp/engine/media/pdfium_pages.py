"""PDFium itself: open, draw, read. Not for two threads at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from desktopapp.attachment_errors import DocumentDamaged, DocumentLocked
from desktopapp.errors import OutOfMemory

_MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """Pixels as PDFium lays them.

    Args:
        width: in pixels.
        height: likewise.
        channels: bytes of a pixel; the first three are red, green, blue.
        stride: bytes of a row.
        pixels: all rows.
    """

    width: int
    height: int
    channels: int
    stride: int
    pixels: bytes


def load_document(file: BinaryIO, password: str | None, name: str) -> Any:
    """Open a document: `pypdfium2.PdfDocument`.

    Args:
        file: open, and kept open as long as the document is.
        password: that opens it, or None.
        name: of the file, for errors.

    Raises:
        DocumentDamaged: it cannot be opened, or has no pages.
        DocumentLocked: it wants a password, or another one.
    """
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(file, password=password)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise DocumentLocked(name=name) from error
        raise DocumentDamaged(name=name) from error
    except (OSError, ValueError) as error:
        raise DocumentDamaged(name=name) from error
    # Fields that were filled in are drawn only after this.
    document.init_forms()
    return document


def draw_page(document: Any, number: int, width: int, height: int) -> DrawnPage:
    """Draw a page on white so that it just fits into a size; sides are rounded up.

    Args:
        document: open.
        number: of the page, from 1.
        width: in pixels.
        height: likewise.
    """
    page = document[number - 1]
    try:
        scale = min(width / page.get_width(), height / page.get_height())
        drawn = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
        return DrawnPage(drawn.width, drawn.height, drawn.n_channels, drawn.stride, bytes(drawn.buffer))
    finally:
        page.close()


def page_text(document: Any, number: int) -> str:
    """A page's own text as it is stored, cut after 20,000 characters.

    Args:
        document: open.
        number: of the page, from 1.
    """
    page = document[number - 1]
    try:
        text_page = page.get_textpage()
        try:
            count = min(text_page.count_chars(), _MOST_TEXT)
            return str(text_page.get_text_range(0, count)) if count > 0 else ""
        finally:
            text_page.close()
    finally:
        page.close()


@contextmanager
def blamed_on(name: str) -> Iterator[None]:
    """Name the document in whatever PDFium raises about it."""
    import pypdfium2

    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(what=f"drawing a page of “{name}”", detail=str(error)) from error
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, OverflowError, IndexError) as error:
        raise DocumentDamaged(name=name) from error
