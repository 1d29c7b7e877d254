"""A video as a row of frames with two handles for its begin and end."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktopapp.engine.media.selection_text import format_time
from desktopapp.ui.theme import colors_of
from desktopapp.ui.tokens import RADIUS_S

FRAMES = 8
_HEIGHT, _HANDLE, _REACH = 56, 8, 14
_KEY_STEPS = 50


class Filmstrip(QWidget):
    """Frames evenly over a video; what is left out is dimmed.

    Args:
        duration_s: of the video, above zero.
        parent: of the widget.

    Signals:
        moved: the begin or the end is somewhere else: both in seconds.
    """

    moved = Signal(float, float)

    def __init__(self, duration_s: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration_s = max(duration_s, 0.001)
        self._range = (0.0, self._duration_s)
        self._held: int | None = None
        self._chosen = 0
        self._frames: dict[int, QImage] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(240)

    @property
    def positions(self) -> tuple[float, ...]:
        """The seconds whose frames are shown."""
        return tuple((number + 0.5) * self._duration_s / FRAMES for number in range(FRAMES))

    @property
    def range_s(self) -> tuple[float, float]:
        """Begin and end in seconds."""
        return self._range

    def set_range(self, start_s: float, end_s: float) -> None:
        """Move both handles without a signal."""
        start_s = min(max(0.0, start_s), self._duration_s)
        self._range = start_s, min(max(start_s, end_s), self._duration_s)
        self.setAccessibleDescription(" – ".join(format_time(second) for second in self._range))
        self.update()

    def show_frame(self, position_s: float, image: QImage) -> None:
        """A frame has come."""
        nearest = min(range(FRAMES), key=lambda number: abs(self.positions[number] - position_s))
        self._frames[nearest] = image
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(420, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        colors = colors_of(self)
        area = self._area()
        painter.fillRect(area, QColor(colors.sunken))
        width = area.width() / FRAMES
        for number, image in self._frames.items():
            place = QRectF(area.left() + number * width, area.top(), width, area.height())
            painter.drawImage(place, image, _middle(image, place.width() / place.height()))
        self._dim(painter, area)
        pen = QPen(QColor(colors.accent), 3 if self.hasFocus() else 2)
        painter.setPen(pen)
        left, right = (self._x(second) for second in self._range)
        painter.drawRect(QRectF(left, 1.5, right - left, self.height() - 3))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent))
        for x in (left, right):
            grip = QRectF(x - _HANDLE / 2, self.height() / 2 - 12, _HANDLE, 24)
            painter.drawRoundedRect(grip, RADIUS_S / 2, RADIUS_S / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        distances = [abs(event.position().x() - self._x(second)) for second in self._range]
        nearest = distances.index(min(distances))
        if distances[nearest] <= _REACH:
            self._held = self._chosen = nearest
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._move(self._held, self._second(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            self._move(self._chosen, self._range[self._chosen] + step * self._duration_s / _KEY_STEPS)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._chosen = 1 - self._chosen
        else:
            super().keyPressEvent(event)

    def _move(self, handle: int, second: float) -> None:
        start_s, end_s = self._range
        second = min(max(second, 0.0), self._duration_s)
        moved = (min(second, end_s), end_s) if handle == 0 else (start_s, max(second, start_s))
        if moved != self._range:
            self.set_range(*moved)
            self.moved.emit(*self._range)

    def _area(self) -> QRect:
        return self.rect().adjusted(_HANDLE, 3, -_HANDLE, -3)

    def _x(self, second: float) -> float:
        area = self._area()
        return area.left() + area.width() * second / self._duration_s

    def _second(self, point: QPointF) -> float:
        area = self._area()
        return (point.x() - area.left()) / max(1, area.width()) * self._duration_s

    def _dim(self, painter: QPainter, area: QRect) -> None:
        veil = QColor(colors_of(self).window)
        veil.setAlphaF(0.72)
        left, right = (self._x(second) for second in self._range)
        painter.fillRect(QRectF(area.left(), area.top(), left - area.left(), area.height()), veil)
        painter.fillRect(QRectF(right, area.top(), area.right() + 1 - right, area.height()), veil)


def _middle(image: QImage, aspect: float) -> QRectF:
    """The largest part of an image's middle that has a shape."""
    width, height = float(image.width()), float(image.height())
    if width > height * aspect:
        return QRectF((width - height * aspect) / 2, 0, height * aspect, height)
    return QRectF(0, (height - width / aspect) / 2, width, width / aspect)
