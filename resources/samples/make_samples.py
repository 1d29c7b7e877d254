"""Make the sample files. `python resources/samples/make_samples.py` writes them beside this file.

Fonts: DejaVu Sans, from the system (Debian: fonts-dejavu-core); in the PDF the viewer's own Helvetica.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
INK = (32, 33, 36)
GREY = (120, 124, 130)
VIDEO_FPS, VIDEO_S, CHANGE_S = 2, 8.0, 5.5
# A5 in points.
PAGE = (420, 595)
PAGES = (
    ("Garden club", "Meeting on 12 May", "at the old mill.", "Bring your seeds", "and some tea."),
    ("Price list", "Rake 18", "Gloves 7", "Seeds 4", "Pots 12"),
    ("Open to all", "Friday and Saturday", "from 9 to 17.", "Bring a friend,", "or just come."),
)


def font(size_px: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at `size_px` pixels an em."""
    return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", size_px)


def draw_receipt() -> Image.Image:
    """A shop's receipt, 480 x 480: items, prices, a total that adds up."""
    items = [("Green tea", 3.20), ("Rye bread", 4.50), ("Notebook", 6.80)]
    image = Image.new("RGB", (480, 480), (247, 246, 242))
    pen = ImageDraw.Draw(image)
    pen.text((48, 64), "CORNER SHOP", INK, font(36, bold=True), anchor="lm")
    y = 140
    for name, price in items:
        pen.text((48, y), f"{name} {price:.2f}", INK, font(28), anchor="lm")
        y += 64
    pen.line((48, y - 20, 432, y - 20), GREY, 2)
    pen.text((48, y + 28), f"Total {sum(p for _, p in items):.2f}", INK, font(32, bold=True), anchor="lm")
    pen.text((48, y + 92), "Thank you!", GREY, font(26), anchor="lm")
    return image


def draw_shapes() -> Image.Image:
    """Three coloured shapes on white, 512 x 384, drawn at four times the size for smooth edges."""
    image = Image.new("RGB", (2048, 1536), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((180, 420, 720, 960), (214, 58, 58))
    pen.rectangle((840, 460, 1300, 920), (46, 108, 214))
    pen.polygon([(1640, 420), (1360, 960), (1920, 960)], (44, 160, 84))
    return image.resize((512, 384), Image.Resampling.LANCZOS)


def write_video(file: Path) -> None:
    """A scene of 8 s, 192 x 160, whose circle is red up to 5 s and blue from 5.5 s on."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), VIDEO_FPS, (192, 160))
    for frame in range(round(VIDEO_FPS * VIDEO_S)):
        image = Image.new("RGB", (768, 640), (244, 241, 232))
        pen = ImageDraw.Draw(image)
        pen.ellipse((80, 120, 320, 360), (36, 87, 224) if frame >= CHANGE_S * VIDEO_FPS else (214, 39, 40))
        pen.polygon([(560, 320), (420, 560), (700, 560)], (44, 160, 44))
        rgb = np.asarray(image.resize((192, 160), Image.Resampling.BOX))
        writer.write(np.ascontiguousarray(rgb[:, :, ::-1]))
    writer.release()


def make_pdf() -> bytes:
    """Three pages of large text, the same bytes each time."""
    count = len(PAGES)
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(count))
    font_number = 3 + 2 * count
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {count} >>"]
    for index, lines in enumerate(PAGES):
        shown = [f"/F1 30 Tf 48 500 Td ({lines[0]}) Tj /F1 24 Tf 0 -18 Td"]
        shown += [f"0 -48 Td ({line}) Tj" for line in lines[1:]]
        text = "BT " + " ".join(shown) + " ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE[0]} {PAGE[1]}] /Contents {4 + 2 * index} 0 R "
            f"/Resources << /Font << /F1 {font_number} 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + tail.encode("ascii")


if __name__ == "__main__":
    draw_receipt().save(HERE / "receipt.png", optimize=True)
    draw_shapes().save(HERE / "shapes.png", optimize=True)
    write_video(HERE / "circle.mp4")
    (HERE / "garden.pdf").write_bytes(make_pdf())
