"""The pictures of a message, small, with rounded corners, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from desktopapp.ui.conversation.glyphs import draw_glyph
from desktopapp.ui.conversation.sanitise import plain_tool_tip
from desktopapp.ui.theme import colors_of, fonts
from desktopapp.ui.tokens import RADIUS_M, SPACE_S

HEIGHT_PX = 104
_MIN_WIDTH_PX, _MAX_WIDTH_PX = 64, 220
_EMPTY_WIDTH_PX = 132
_GLYPH_PX = 22


@dataclass(slots=True)
class _Picture:
    """One attachment."""

    path: str
    image: QImage | None = None
    rect: QRect = field(default_factory=QRect)


class ThumbnailRow(QWidget):
    """Right-aligned thumbnails; a name stands in for one that has not come yet.

    Args:
        paths: of the attachments, in order.
        parent: as always.
    """

    def __init__(self, paths: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures = [_Picture(path) for path in paths]
        self.setAccessibleName(", ".join(Path(path).name for path in paths))

    def set_image(self, path: str, image: QImage) -> None:
        """A thumbnail has come."""
        for picture in self._pictures:
            if picture.path == path:
                picture.image = image
        self.set_width(self.width())
        self.update()

    def has_image(self, path: str) -> bool:
        """True when the thumbnail of a path is shown."""
        return any(picture.path == path and picture.image is not None for picture in self._pictures)

    def set_width(self, width_px: int) -> None:
        """Arrange in rows of at most this width."""
        rows: list[list[_Picture]] = [[]]
        used = 0
        for picture in self._pictures:
            size = _size_of(picture, width_px)
            if rows[-1] and used + size.width() > width_px:
                rows.append([])
                used = 0
            picture.rect = QRect(QPoint(0, 0), size)
            rows[-1].append(picture)
            used += size.width() + SPACE_S
        for index, row in enumerate(rows):
            right = width_px
            for picture in reversed(row):
                right -= picture.rect.width()
                picture.rect.moveTo(right, index * (HEIGHT_PX + SPACE_S))
                right -= SPACE_S
        self.setFixedSize(width_px, len(rows) * (HEIGHT_PX + SPACE_S) - SPACE_S)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Pictures, or names in their places."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        colors = colors_of(self)
        for picture in self._pictures:
            rect = QRectF(picture.rect).adjusted(0.5, 0.5, -0.5, -0.5)
            path = QPainterPath()
            path.addRoundedRect(rect, RADIUS_M, RADIUS_M)
            if picture.image is None:
                painter.fillPath(path, QColor(colors.sunken))
                self._paint_name(painter, picture)
            else:
                painter.save()
                painter.setClipPath(path)
                painter.fillPath(path, QColor(colors.surface))
                painter.drawImage(_covering(picture.image, picture.rect), picture.image)
                painter.restore()
            painter.setPen(QPen(QColor(colors.border), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)

    def event(self, event: QEvent) -> bool:
        """The name of the picture under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = [p for p in self._pictures if p.rect.contains(event.pos())]
            name = Path(found[0].path).name if found else ""
            QToolTip.showText(event.globalPos(), plain_tool_tip(name), self)
            return True
        return super().event(event)

    def _paint_name(self, painter: QPainter, picture: _Picture) -> None:
        color = QColor(colors_of(self).text_secondary)
        center = picture.rect.center()
        glyph = QRectF(center.x() - _GLYPH_PX / 2, center.y() - _GLYPH_PX, _GLYPH_PX, _GLYPH_PX)
        draw_glyph(painter, "picture", glyph, color)
        painter.setFont(fonts().small)
        painter.setPen(color)
        room = picture.rect.adjusted(SPACE_S, HEIGHT_PX // 2 + 4, -SPACE_S, 0)
        name = painter.fontMetrics().elidedText(
            Path(picture.path).name, Qt.TextElideMode.ElideMiddle, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, name)


def _size_of(picture: _Picture, width_px: int) -> QSize:
    if picture.image is None or not picture.image.height():
        return QSize(min(_EMPTY_WIDTH_PX, width_px), HEIGHT_PX)
    natural = round(HEIGHT_PX * picture.image.width() / picture.image.height())
    return QSize(min(max(natural, _MIN_WIDTH_PX), _MAX_WIDTH_PX, width_px), HEIGHT_PX)


def _covering(image: QImage, rect: QRect) -> QRectF:
    """Where to draw an image so that it fills a rectangle, cut at the sides that stand out."""
    scale = max(rect.width() / max(1, image.width()), rect.height() / max(1, image.height()))
    width, height = image.width() * scale, image.height() * scale
    center = QRectF(rect).center()
    return QRectF(center.x() - width / 2, center.y() - height / 2, width, height)
