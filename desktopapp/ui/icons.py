"""The program's own SVG icons, tinted with a colour of the theme."""

from __future__ import annotations

from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktopapp import paths


def tinted_icon(name: str, color: str, disabled_color: str | None = None, size: int = 18) -> QIcon:
    """An icon of `resources/icons`, sharp on the sharpest screen; Qt scales it down for others.

    Args:
        name: file name without its suffix.
        color: `#rrggbb` in place of the file's `currentColor`.
        disabled_color: for disabled controls; None leaves that to Qt.
        size: side in device-independent pixels.
    """
    ratio = _sharpest_ratio()
    icon = QIcon(tinted_pixmap(name, color, size, ratio))
    if disabled_color:
        icon.addPixmap(tinted_pixmap(name, disabled_color, size, ratio), QIcon.Mode.Disabled)
    return icon


@lru_cache(maxsize=128)
def tinted_pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    """One rendering of an icon; `ratio` is the screen's device pixel ratio."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", color.encode())))
    pixmap = QPixmap(QSize(size, size) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


@cache
def application_icon() -> QIcon:
    """The icon of the window and the task bar."""
    icon = QIcon()
    for size in (16, 32, 64, 128, 256):
        icon.addPixmap(tinted_pixmap("app", "#000000", size, 1.0))
    return icon


def _sharpest_ratio() -> float:
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)


@cache
def _source(name: str) -> bytes:
    return (paths.resources_dir() / "icons" / f"{name}.svg").read_bytes()
