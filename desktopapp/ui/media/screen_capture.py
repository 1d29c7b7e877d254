"""Take a picture of the screen: the window steps aside, the person clicks a window, drags over a region, or takes all of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from desktopapp.ui.media.open_windows import window_places
from desktopapp.ui.theme import fonts
from desktopapp.ui.tokens import DARK

# Window managers fade windows out; this long after hiding nothing of ours is on the screen any more.
_ASIDE_MS = 350
_LEAST_PX = 4


class RegionPicker(QWidget):
    """The frozen screen, over everything, to choose a region of it.

    Args:
        image: of the screen, in its own pixels.
        screen: that it is of.
        windows: on it, the topmost first, in the image's pixels; a click takes the one under the pointer.

    Signals:
        picked: the chosen part (`QImage`).
        cancelled: nothing was chosen.
    """

    picked = Signal(QImage)
    cancelled = Signal()

    def __init__(self, image: QImage, screen: QScreen, windows: Sequence[QRect] = ()) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._image = image
        self._from: QPoint | None = None
        self._to = QPoint()
        self._windows = windows
        self._window = QRect()
        self._is_picked = False
        self.setMouseTracking(True)
        self.setGeometry(screen.geometry())
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(self.tr("Choose a part of the screen"))

    @property
    def region(self) -> QRect:
        """What is chosen so far, in pixels of the widget."""
        if self._from is None:
            return QRect()
        xs, ys = sorted((self._from.x(), self._to.x())), sorted((self._from.y(), self._to.y()))
        return QRect(QPoint(xs[0], ys[0]), QPoint(xs[1], ys[1])) & self.rect()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), self._image)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 110))
        region = self.region if self._from is not None else self._in_widget(self._window)
        if not region.isEmpty():
            painter.drawImage(QRectF(region), self._image, QRectF(self._in_image(region)))
            painter.setPen(QPen(QColor(DARK.accent), 2))
            painter.drawRect(region)
        if self._from is None:
            self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        words = self.tr("Drag over a part of the screen · Enter takes all of it · Esc cancels")
        if self._windows:
            words = self.tr(
                "Click a window or drag over a part of the screen · Enter takes all of it · Esc cancels"
            )
        painter.setFont(fonts().title)
        area = painter.fontMetrics().boundingRect(words).adjusted(-24, -12, 24, 12)
        area.moveCenter(self.rect().center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 170))
        painter.drawRoundedRect(area, 8, 8)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            self.close()
            return
        self._from = self._to = event.position().toPoint()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._from is not None:
            self._to = point
            self.update()
            return
        window = self._window_at(point)
        if window != self._window:
            self._window = window
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is None:
            return
        region = self.region
        if region.width() < _LEAST_PX or region.height() < _LEAST_PX:  # a click is no region
            self._from = None
            window = self._window_at(event.position().toPoint()) & self._image.rect()
            if not window.isEmpty():
                self._end(self._image.copy(window))
            self.update()
            return
        self._end(self._image.copy(self._in_image(region)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._end(self._image)
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Alt+F4 cancels as Esc does: the window that stepped aside would never come back."""
        super().closeEvent(event)
        if not self._is_picked:
            self.cancelled.emit()

    def _window_at(self, point: QPoint) -> QRect:
        """The topmost window at a point of the widget, in the image's pixels; empty where there is none."""
        place = self._in_image(QRect(point, point)).topLeft()
        return next((window for window in self._windows if window.contains(place)), QRect())

    def _in_widget(self, region: QRect) -> QRect:
        x = self.width() / max(1, self._image.width())
        y = self.height() / max(1, self._image.height())
        corner = QPoint(round(region.left() * x), round(region.top() * y))
        return (
            QRect(corner.x(), corner.y(), round(region.width() * x), round(region.height() * y)) & self.rect()
        )

    def _end(self, image: QImage) -> None:
        self._is_picked = True
        self.close()
        self._is_picked = False
        self.picked.emit(image)

    def _in_image(self, region: QRect) -> QRect:
        """A region in the screen's own pixels, which are finer than Qt's on dense screens."""
        x = self._image.width() / max(1, self.width())
        y = self._image.height() / max(1, self.height())
        corner = QPoint(round(region.left() * x), round(region.top() * y))
        return QRect(corner.x(), corner.y(), round(region.width() * x), round(region.height() * y))


class ScreenCapture(QObject):
    """Runs one capture after another for a window.

    Args:
        window: steps aside meanwhile.

    Signals:
        captured: a picture (`QImage`) without a file.
        refused: the system does not let programs see the screen.
    """

    captured = Signal(QImage)
    refused = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.picker: RegionPicker | None = None
        self._timer = QTimer(self, singleShot=True, interval=_ASIDE_MS)
        self._timer.timeout.connect(self._grab)

    def begin(self) -> None:
        """Hide the window, then let the person choose; without effect while that goes on."""
        if self.picker is None and not self._timer.isActive():
            self._window.hide()
            self._timer.start()

    def _grab(self) -> None:
        screen = self._window.screen() or QGuiApplication.primaryScreen()
        image = screen.grabWindow(0).toImage()
        if image.isNull():  # Wayland: only the desktop's own tool may
            self._come_back()
            self.refused.emit()
            return
        image.setDevicePixelRatio(1.0)
        picker = self.picker = RegionPicker(image, screen, _windows_on(screen, image))
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # The window is hidden: the program would end with this one.
        picker.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        picker.picked.connect(self._on_picked)
        picker.cancelled.connect(self._come_back)
        picker.showFullScreen()
        picker.activateWindow()
        picker.setFocus()

    def _on_picked(self, image: QImage) -> None:
        self._come_back()
        self.captured.emit(image)

    def _come_back(self) -> None:
        self.picker = None
        self._window.show()
        self._window.activateWindow()


def _windows_on(screen: QScreen, image: QImage) -> list[QRect]:
    """The windows that are on a screen, in the pixels of its picture."""
    # Screens lie side by side in the system's own pixels, by which Qt scales their places as well.
    corner = screen.geometry().topLeft()
    if len(QGuiApplication.screens()) == 1:
        corner = QPoint(0, 0)
    places = (place.translated(-corner) for place in window_places())
    return [place for place in places if place.intersects(image.rect())]
