"""PDF files that are rare and must be read, and hostile ones."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktopapp.engine.media.selection import MediaSelection
from tests.documents import assemble
from tests.media_case import Case
from tests.odd_pictures import noise

_TEXT = b"BT /F1 24 Tf 40 300 Td (A line) Tj ET"


@dataclass(frozen=True, slots=True)
class _Page:
    """A document of one page.

    Args:
        entries: of the page's dictionary besides its content, its box and its font.
        drawn: content stream.
        objects: further ones; the first has the number 6.
        catalog: further entries of the document's catalog.
        box: of the page.
        packed: the content is compressed.
    """

    entries: bytes = b""
    drawn: bytes = _TEXT
    objects: tuple[bytes, ...] = ()
    catalog: bytes = b""
    box: bytes = b"0 0 400 600"
    packed: bool = False

    def write(self, path: Path) -> Path:
        """Write the file; object 3 is the page, 4 its content, 5 the font."""
        drawn = zlib.compress(self.drawn, 9) if self.packed else self.drawn
        stream = b"<</Length %d%s>>stream\n%s\nendstream" % (
            len(drawn),
            b"/Filter/FlateDecode" if self.packed else b"",
            drawn,
        )
        resources = b"" if b"/Resources" in self.entries else b"/Resources<</Font<</F1 5 0 R>>>>"
        objects = [
            b"<</Type/Catalog/Pages 2 0 R%s>>" % self.catalog,
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R%s%s>>"
            % (self.box, resources, self.entries),
            stream,
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            *self.objects,
        ]
        path.write_bytes(assemble(objects))
        return path


def rare_documents(folder: Path) -> Iterator[Case]:
    """Sound ones, as forms and scanners make them."""
    pages = {
        "form": _form(),
        "notes": _notes(),
        "wide-crop": _Page(b"/CropBox[-500 -500 5000 5000]"),
        "small-crop": _Page(b"/CropBox[10 10 60 60]"),
        "user-unit": _Page(b"/UserUnit 10"),
        "upside-down-box": _Page(box=b"400 600 0 0"),
        "far-away-box": _Page(box=b"100000 100000 100400 100600"),
        "huge-box": _Page(box=b"0 0 1e9 1e9"),
        "flat-box": _Page(box=b"0 0 400 0"),
        "jpeg2000": _scan("JPEG2000", b"JPXDecode"),
        "jpeg": _scan("JPEG", b"DCTDecode"),
        "script": _Page(catalog=b"/OpenAction<</S/JavaScript/JS(while(1){app.alert(1)})>>"),
        "no-content": _Page(drawn=b""),
    } | {f"turned-{turn}": _Page(b"/Rotate %d" % turn) for turn in (90, 180, 270, -90, 45, 100_000)}
    for name, page in pages.items():
        yield Case(page.write(folder / f"{name}.pdf"), f"PDF: {name}", True, MediaSelection(page_text=True))
    path = folder / "late.pdf"
    path.write_bytes(b"From: someone\r\n\r\n" * 20 + _Page().write(path).read_bytes())
    yield Case(path, "PDF behind the head of a letter", True)
    path = _Page().write(folder / "line\nbreak & <i>\u202efdp.pdf")
    yield Case(path, "PDF with a name that is hard to show", True)


def hostile_documents(folder: Path) -> Iterator[Case]:
    """Ones that want to take all time or all memory."""
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 400 600]/Resources<</XObject<</X 6 0 R>>>>/Length %d>>stream\n%s\nendstream"
    again = b"/X Do " * 30
    shapes = b"".join(b"%d %d m %d %d l S " % (n % 400, n % 599, n % 397, n % 593) for n in range(400_000))
    pages = {
        "itself": _Page(b"/Resources<</XObject<</X 6 0 R>>>>", again, (form % (len(again), again),)),
        "many-lines": _Page(drawn=shapes, packed=True),
        "deep-states": _Page(drawn=b"q " * 2_000_000, packed=True),
        "spaces": _Page(drawn=b" " * 50_000_000, packed=True),
        "tower": _tower(),
        "giant-picture": _giant_picture(),
        "pattern": _pattern(),
        "blends": _Page(
            b"/Resources<</ExtGState<</G<</BM/Luminosity/ca 0.5>>>>>>",
            b"/G gs 0 0 400 600 re f " * 20_000,
            packed=True,
        ),
    }
    for name, page in pages.items():
        yield Case(page.write(folder / f"hostile-{name}.pdf"), f"hostile PDF: {name}", False)


def write_endless(path: Path) -> Path:
    """A page whose forms draw one another 10^12 times."""
    return _tower().write(path)


def write_picture(path: Path, size: tuple[int, int], decoder: bytes = b"FlateDecode") -> Path:
    """A page with a picture that is black as far as there is any of it, which is not far.

    Args:
        path: of the file.
        size: that it says to have.
        decoder: that it names.
    """
    return _picture(zlib.compress(bytes(1000)), decoder, size).write(path)


def write_embedded(path: Path, data: bytes, decoder: bytes, size: tuple[int, int]) -> Path:
    """A page with a picture.

    Args:
        path: of the file.
        data: of the picture, as the decoder wants it.
        decoder: its name.
        size: of the picture.
    """
    return _picture(data, decoder, size).write(path)


def write_nested_picture(path: Path, size: tuple[int, int]) -> Path:
    """The same within a form on the page."""
    picture = _picture(zlib.compress(bytes(1000)), b"FlateDecode", size)
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 400 600]/Resources<</XObject<</I 6 0 R>>>>/Length 5>>"
        b"stream\n/I Do\nendstream"
    )
    return _Page(b"/Resources<</XObject<</F 7 0 R>>>>", b"/F Do", (*picture.objects, form)).write(path)


def _form() -> _Page:
    """A text field that was filled in, without an appearance of its own."""
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Filled in)/Rect[40 100 300 140]/F 4/DA(/F1 18 Tf 0 g)/P 3 0 R>>"
    catalog = b"/AcroForm<</Fields[6 0 R]/NeedAppearances true/DR<</Font<</F1 5 0 R>>>>/DA(/F1 18 Tf 0 g)>>"
    return _Page(b"/Annots[6 0 R]", objects=(field,), catalog=catalog)


def _notes() -> _Page:
    kinds = (
        b"Highlight/QuadPoints[40 320 100 320 40 296 100 296]",
        b"FreeText/DA(/F1 12 Tf)",
        b"Text",
        b"Link",
        b"Square",
    )
    notes = tuple(
        b"<</Type/Annot/Subtype/%s/Rect[40 %d 200 %d]/C[1 1 0]/Contents(A note)>>"
        % (kind, 100 * number, 100 * number + 40)
        for number, kind in enumerate(kinds)
    )
    return _Page(b"/Annots[6 0 R 7 0 R 8 0 R 9 0 R 10 0 R 3 0 R]", objects=notes)


def _scan(kind: str, decoder: bytes) -> _Page:
    file = io.BytesIO()
    noise((200, 300)).save(file, kind)
    return _picture(file.getvalue(), decoder, (200, 300))


def _picture(data: bytes, decoder: bytes, size: tuple[int, int]) -> _Page:
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8" % size
    image = head + b"/Filter/%s/Length %d>>stream\n%s\nendstream" % (decoder, len(data), data)
    return _Page(b"/Resources<</XObject<</I 6 0 R>>>>", b"q 400 0 0 600 0 0 cm /I Do Q", (image,))


def _giant_picture() -> _Page:
    """Says that it has 30,000 x 30,000 pixels, 2.7 GB, in 100 KB."""
    packer = zlib.compressobj(9)
    data = b"".join([packer.compress(bytes(10_000_000)) for _ in range(10)] + [packer.flush()])
    return _picture(data, b"FlateDecode", (30_000, 30_000))


def _tower() -> _Page:
    """Each of 12 forms draws the next one ten times: 10^12 in all."""
    levels = 12
    objects = []
    for level in range(levels):
        drawn = b"/X Do " * 10 if level < levels - 1 else b"0 0 10 10 re f"
        below = b"/Resources<</XObject<</X %d 0 R>>>>" % (7 + level) if level < levels - 1 else b""
        objects.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 400 600]%s/Length %d>>stream\n%s\nendstream"
            % (below, len(drawn), drawn)
        )
    return _Page(b"/Resources<</XObject<</X 6 0 R>>>>", b"/X Do", tuple(objects))


def _pattern() -> _Page:
    """A pattern whose cells are a thousandth of a point wide."""
    cell = (
        b"<</Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001/Resources<<>>"
        b"/Length 14>>stream\n0 0 1 1 re f  \nendstream"
    )
    drawn = b"/Pattern cs /P scn 0 0 400 600 re f"
    return _Page(b"/Resources<</Pattern<</P 6 0 R>>>>", drawn, (cell,))
