"""A picture with boxes and points over it: labels, hover, zoom, pan."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from desktopapp.engine.grounding.places import FULL, Place
from desktopapp.ui.theme import colors_of, fonts

# Told apart also by people who see few colours, on light and dark pictures (Okabe and Ito, 2008).
COLORS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
_MOST_ZOOM = 12.0
_STEP = 1.25
_POINT_PX = 6.0
_REACH_PX = 12.0


class PlacesCanvas(QWidget):
    """Shows one picture.

    Signals:
        hovered: index of the place under the pointer, -1 for none.
        chosen: index of a place that was clicked.
    """

    hovered = Signal(int)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._fitted = QImage()
        """The picture as large as it is drawn unzoomed: made once, and averaged where drawing would skip pixels."""
        self._places: Sequence[Place] = ()
        self._colors: dict[str, QColor] = {}
        self._highlighted = -1
        self._zoom = 1.0
        self._center = QPointF(0.5, 0.5)
        self._grabbed: QPoint | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def places(self) -> Sequence[Place]:
        """What is drawn over it."""
        return self._places

    @property
    def image(self) -> QImage:
        """The picture without what is drawn over it."""
        return self._image

    def show_image(self, image: QImage) -> None:
        """Show another picture, all of it."""
        self._image, self._fitted = image, QImage()
        self._zoom, self._center = 1.0, QPointF(0.5, 0.5)
        self.updateGeometry()
        self.update()

    def show_places(self, places: Sequence[Place]) -> None:
        """Draw these over the picture."""
        self._places = places
        names = list(dict.fromkeys(place.caption for place in places))
        self._colors = {name: QColor(COLORS[index % len(COLORS)]) for index, name in enumerate(names)}
        self._highlighted = -1
        self.update()

    def highlight(self, index: int) -> None:
        """Let one place stand out; -1 for none."""
        if index != self._highlighted:
            self._highlighted = index
            self.update()

    def color(self, place: Place) -> QColor:
        """Of a place's frame; places with one label share it."""
        return self._colors.get(place.caption, QColor(COLORS[0]))

    def place_rect(self, place: Place) -> QRectF:
        """Where a place is drawn, in pixels of the widget; a point is a small square."""
        return _rect_in(self.picture_rect(), place, 1.0)

    def picture_rect(self) -> QRectF:
        """Where the whole picture lies, in pixels of the widget; larger than the widget when zoomed."""
        if self._image.isNull():
            return QRectF(self.rect())
        fit = min(self.width() / self._image.width(), self.height() / self._image.height())
        width, height = (side * fit * self._zoom for side in (self._image.width(), self._image.height()))
        left = self.width() / 2 - self._center.x() * width
        top = self.height() / 2 - self._center.y() * height
        return QRectF(left, top, width, height)

    def crop(self, index: int) -> QImage:
        """The part of the picture inside a box; a null image for a point."""
        place = self._places[index]
        if not place.is_box or self._image.isNull():
            return QImage()
        x1, y1, x2, y2 = place.pixels(self._image.width(), self._image.height())
        return self._image.copy(QRectF(x1, y1, x2 - x1, y2 - y1).toAlignedRect() & self._image.rect())

    def annotated(self) -> QImage:
        """The whole picture with everything that is drawn over it."""
        result = self._image.convertToFormat(QImage.Format.Format_RGB32)
        painter = QPainter(result)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = max(1.0, max(result.width(), result.height()) / 900)
        self._paint_places(painter, QRectF(result.rect()), scale)
        painter.end()
        return result

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        colors = colors_of(self)
        area = self.picture_rect()
        if self._image.isNull():
            painter.fillRect(self.rect(), QColor(colors.sunken))
        else:
            painter.drawImage(area, self._drawn_image(area))
        self._paint_places(painter, area, 1.0)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colors.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _drawn_image(self, area: QRectF) -> QImage:
        size = (area.size() * self.devicePixelRatio()).toSize()
        if self._zoom > 1.0 or size.width() >= self._image.width() or size.isEmpty():
            return self._image
        if self._fitted.size() != size:
            self._fitted = self._image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        return self._fitted

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl it zooms; without, the conversation scrolls."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        self._zoom_at(event.position(), _STEP if event.angleDelta().y() > 0 else 1 / _STEP)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._zoom_at(event.position(), 1 / self._zoom if self._zoom > 1.01 else 3.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grabbed = event.position().toPoint()
        index = self._index_at(event.position())
        if index >= 0:
            self.chosen.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None and event.buttons() & Qt.MouseButton.LeftButton and self._zoom > 1.01:
            moved = event.position().toPoint() - self._grabbed
            self._grabbed = event.position().toPoint()
            area = self.picture_rect()
            self._move_center(-moved.x() / area.width(), -moved.y() / area.height())
            return
        index = self._index_at(event.position())
        if index != self._highlighted:
            self.highlight(index)
            self.hovered.emit(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def leaveEvent(self, event: object) -> None:
        if self._highlighted >= 0:
            self.highlight(-1)
            self.hovered.emit(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle = QPointF(self.width() / 2, self.height() / 2)
        moves = {
            Qt.Key.Key_Left: (-0.1, 0.0),
            Qt.Key.Key_Right: (0.1, 0.0),
            Qt.Key.Key_Up: (0.0, -0.1),
            Qt.Key.Key_Down: (0.0, 0.1),
        }
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_at(middle, _STEP)
        elif event.key() == Qt.Key.Key_Minus:
            self._zoom_at(middle, 1 / _STEP)
        elif event.key() == Qt.Key.Key_0:
            self._zoom_at(middle, 1 / self._zoom)
        elif (move := moves.get(Qt.Key(event.key()))) and self._zoom > 1.01:
            self._move_center(move[0] / self._zoom, move[1] / self._zoom)
        else:
            super().keyPressEvent(event)

    def _zoom_at(self, point: QPointF, factor: float) -> None:
        before = self.picture_rect()
        held = QPointF((point.x() - before.x()) / before.width(), (point.y() - before.y()) / before.height())
        self._zoom = min(max(1.0, self._zoom * factor), _MOST_ZOOM)
        after = self.picture_rect()
        moved_x = held.x() - (point.x() - after.x()) / after.width()
        moved_y = held.y() - (point.y() - after.y()) / after.height()
        self._move_center(moved_x, moved_y)

    def _move_center(self, x: float, y: float) -> None:
        margin = 0.5 / self._zoom
        self._center = QPointF(
            min(max(self._center.x() + x, margin), 1 - margin),
            min(max(self._center.y() + y, margin), 1 - margin),
        )
        self.update()

    def _index_at(self, point: QPointF) -> int:
        """The smallest place under a point, so that what lies inside another can be reached."""
        under = []
        for index, place in enumerate(self._places):
            rect = self.place_rect(place)
            if not place.is_box:
                rect = rect.adjusted(-_REACH_PX / 2, -_REACH_PX / 2, _REACH_PX / 2, _REACH_PX / 2)
            if rect.contains(point):
                under.append((rect.width() * rect.height(), index))
        return min(under)[1] if under else -1

    def _paint_places(self, painter: QPainter, area: QRectF, scale: float) -> None:
        painter.save()
        font = fonts().small
        font.setPointSizeF(font.pointSizeF() * scale)
        painter.setFont(font)
        for index, place in enumerate(self._places):
            color, is_on = self.color(place), index == self._highlighted
            rect = _rect_in(area, place, scale)
            fill = QColor(color)
            fill.setAlphaF(0.32 if is_on else 0.08)
            painter.setBrush(fill if place.is_box else color)
            painter.setPen(
                QPen(QColor("#ffffff" if not place.is_box else color), (4 if is_on else 2) * scale)
            )
            if place.is_box:
                painter.drawRect(rect)
            else:
                painter.drawEllipse(rect)
            if place.caption and (is_on or self._has_room):
                _paint_tag(painter, rect, place.caption, color, area, scale)
        painter.restore()

    @property
    def _has_room(self) -> bool:
        """Whether labels can stand beside their places all at once."""
        return len(self._places) <= 40


def _rect_in(area: QRectF, place: Place, scale: float) -> QRectF:
    values = place.coordinates
    x, y = area.x() + values[0] / FULL * area.width(), area.y() + values[1] / FULL * area.height()
    if place.is_box:
        width, height = (values[2] - values[0]) / FULL, (values[3] - values[1]) / FULL
        return QRectF(x, y, width * area.width(), height * area.height())
    side = _POINT_PX * scale
    return QRectF(x - side, y - side, 2 * side, 2 * side)


def _paint_tag(painter: QPainter, rect: QRectF, text: str, color: QColor, area: QRectF, scale: float) -> None:
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, 220 * scale)
    width, height = metrics.horizontalAdvance(shown) + 8 * scale, metrics.height() + 2 * scale
    left = max(area.left(), min(rect.left(), area.right() - width))
    top = rect.top() - height if rect.top() - height >= area.top() else rect.top()
    painter.fillRect(QRectF(left, top, width, height), color)
    # Dark on the light ones of the colours, light on the dark ones.
    luminance = 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue()
    painter.setPen(QColor("#111111" if luminance > 120 else "#ffffff"))
    painter.drawText(QRectF(left, top, width, height), Qt.AlignmentFlag.AlignCenter, shown)
