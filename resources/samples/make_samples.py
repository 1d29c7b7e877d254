"""Draw the sample pictures. `python resources/samples/make_samples.py` writes them beside this file.

Fonts: DejaVu Sans, from the system (Debian: fonts-dejavu-core).
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
INK = (32, 33, 36)
GREY = (120, 124, 130)


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


if __name__ == "__main__":
    draw_receipt().save(HERE / "receipt.png", optimize=True)
    draw_shapes().save(HERE / "shapes.png", optimize=True)
