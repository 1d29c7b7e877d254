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
    """A shop's receipt, 480 x 640: items, prices, a total that adds up."""
    items = [("Green tea", 3.20), ("Rye bread", 4.50), ("Apples 1 kg", 2.80), ("Notebook", 6.00)]
    image = Image.new("RGB", (480, 640), (247, 246, 242))
    pen = ImageDraw.Draw(image)
    pen.text((240, 56), "CORNER SHOP", INK, font(36, bold=True), anchor="mm")
    pen.text((240, 100), "12 Mill Street", GREY, font(22), anchor="mm")
    pen.line((40, 140, 440, 140), GREY, 2)
    y = 182
    for name, price in items:
        pen.text((40, y), name, INK, font(26), anchor="lm")
        pen.text((440, y), f"{price:.2f}", INK, font(26), anchor="rm")
        y += 56
    pen.line((40, y - 12, 440, y - 12), GREY, 2)
    pen.text((40, y + 34), "TOTAL", INK, font(32, bold=True), anchor="lm")
    pen.text((440, y + 34), f"{sum(p for _, p in items):.2f}", INK, font(32, bold=True), anchor="rm")
    pen.text((40, y + 90), "Paid by card", GREY, font(22), anchor="lm")
    pen.text((240, 596), "Thank you!", INK, font(26), anchor="mm")
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
