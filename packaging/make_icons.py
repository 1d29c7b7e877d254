"""Render `resources/icons/app.svg` for every desktop: PNGs of Linux's icon theme, an .ico, an .icns; into `build/icons`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "resources" / "icons" / "app.svg"
TARGET = ROOT / "build" / "icons"
NAME = "qwen3-vl-desktop"
THEME_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
WINDOWS_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)


def render(size: int, target: Path) -> None:
    """Write the icon as a PNG.

    Args:
        size: side in pixels.
        target: the file; its folder is made.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not image.save(str(target)):
        raise OSError(f"{target} cannot be written")


def make_icons() -> Path:
    """Make all of them; returns the folder with `hicolor/`, `app.ico` and `app.icns`."""
    from PIL import Image

    shutil.rmtree(TARGET, ignore_errors=True)
    theme = TARGET / "hicolor"
    for size in THEME_SIZES:
        render(size, theme / f"{size}x{size}" / "apps" / f"{NAME}.png")
    scalable = theme / "scalable" / "apps" / f"{NAME}.svg"
    scalable.parent.mkdir(parents=True)
    shutil.copyfile(SOURCE, scalable)
    render(1024, TARGET / "app.png")
    with Image.open(TARGET / "app.png") as large:
        large.save(TARGET / "app.icns")
        frames = [large.resize((size, size), Image.Resampling.LANCZOS) for size in WINDOWS_SIZES]
        frames[-1].save(TARGET / "app.ico", sizes=[(s, s) for s in WINDOWS_SIZES], append_images=frames[:-1])
    return TARGET


if __name__ == "__main__":
    print(make_icons())
    sys.exit(0)
