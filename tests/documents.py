"""PDF files made on the spot, by hand: pages with a line of text, locked ones, odd ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_ID = bytes(range(16))


def write_document(
    path: Path, lines: list[str], size: tuple[float, float] = (595, 842), password: str | None = None
) -> Path:
    """Write a PDF with a line of Helvetica a page, or several.

    Args:
        path: of the file.
        lines: one for each page; line feeds divide it.
        size: of a page in points.
        password: locks the document (RC4, 40 bits); its pages stay empty then.
    """
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(lines)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(lines)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, line in enumerate(lines):
        text = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        top = size[1] / 2 + 22 * text.count("\n")
        shown = text.replace("\n", ") Tj 0 -44 Td (")
        drawn = b"" if password else f"BT /F1 36 Tf 40 {top:.0f} Td ({shown}) Tj ET".encode("latin-1")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size[0]} {size[1]}]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>".encode()
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
    trailer = b""
    if password is not None:
        objects.append(_lock(password))
        trailer = b"/Encrypt %d 0 R/ID[<%s><%s>]" % (len(objects), _ID.hex().encode(), _ID.hex().encode())
    path.write_bytes(assemble(objects, trailer))
    return path


def assemble(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def _lock(password: str) -> bytes:
    """The encryption dictionary of revision 2 (ISO 32000-1, 7.6.3)."""
    padded = (password.encode("latin-1") + _PADDING)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    permissions = -4
    seed = padded + owner + permissions.to_bytes(4, "little", signed=True) + _ID
    user = _rc4(hashlib.md5(seed).digest()[:5], _PADDING)
    return b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (
        owner.hex().encode(),
        user.hex().encode(),
        permissions,
    )


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
