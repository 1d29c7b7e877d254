"""PDFium itself: open, draw, read. Not for two threads at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from desktopapp.attachment_errors import AttachmentNeedsMemory, DocumentDamaged, DocumentLocked
from desktopapp.engine.media.free_memory import check_free

_MOST_TEXT = 20_000

# Measured, docs/memory.md: what a pixel of an embedded picture takes at most by its filter, a progressive JPEG or a mask
# where nothing is said, and one of ours, where PDFium's, the copy that is handed on and the two behind the pipe are counted.
_EMBEDDED_BYTES = {"JPXDecode": 16, "CCITTFaxDecode": 1, "JBIG2Decode": 1}
_OTHER_EMBEDDED_BYTES, _DRAWN_BYTES = 5, 12
_MOST_OBJECTS = 100_000
"""Of a page that are looked at: forms may show each other a billion times."""


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


def draw_page(document: Any, number: int, width: int, height: int, name: str) -> DrawnPage:
    """Draw a page on white so that it just fits into a size; sides are rounded up.

    Args:
        document: open.
        number: of the page, from 1.
        width: in pixels.
        height: likewise.
        name: of the file, for errors.

    Raises:
        AttachmentNeedsMemory: too little is free. PDFium would leave pictures out, or end the process.
    """
    page = document[number - 1]
    try:
        check_free(width * height * _DRAWN_BYTES + _largest_picture_bytes(page), name)
        scale = min(width / page.get_width(), height / page.get_height())
        drawn = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
        return DrawnPage(drawn.width, drawn.height, drawn.n_channels, drawn.stride, bytes(drawn.buffer))
    finally:
        page.close()


def _largest_picture_bytes(page: Any) -> int:
    """What decoding the most demanding picture of a page takes; they are decoded one after the other."""
    largest = 0
    for picture in _pictures(page):
        width, height = picture.get_px_size()
        known = [_EMBEDDED_BYTES[name] for name in picture.get_filters() if name in _EMBEDDED_BYTES]
        pixel_bytes = max(known, default=_OTHER_EMBEDDED_BYTES)
        largest = max(largest, width * height * pixel_bytes)
    return largest


def _pictures(page: Any) -> Iterator[Any]:
    """The picture objects of a page and of the forms on it.

    pypdfium2's own iterator makes a Python object of every line and letter, which on a dense map takes seconds.
    """
    from pypdfium2 import PdfObject, raw

    owners, left = deque([(page.raw, False)]), _MOST_OBJECTS
    while owners:
        owner, is_form = owners.popleft()
        count, get = (
            (raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
            if is_form
            else (raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject)
        )
        looked_at = min(count(owner), left)
        left -= looked_at
        for place in range(looked_at):
            found = get(owner, place)
            kind = raw.FPDFPageObj_GetType(found)
            if kind == raw.FPDF_PAGEOBJ_IMAGE:
                yield PdfObject(found, page=page, pdf=page.pdf)
            elif kind == raw.FPDF_PAGEOBJ_FORM:
                owners.append((found, True))


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
        raise AttachmentNeedsMemory(name=name) from error
    except (pypdfium2.PdfiumError, ValueError, ZeroDivisionError, OverflowError, IndexError) as error:
        raise DocumentDamaged(name=name) from error
