"""The parts of pictures that a model looked at more closely while it answered: small, in order, larger at a click."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktopapp.engine.grounding.places import FULL
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.request import Attachment
from desktopapp.ui.conversation.sanitise import plain_tool_tip
from desktopapp.ui.media.groups import WHOLE_PICTURE
from desktopapp.ui.media.places_canvas import PlacesCanvas
from desktopapp.ui.media.previews import to_image
from desktopapp.ui.tokens import SPACE_M, SPACE_S
from desktopapp.ui.wording import file_label

if TYPE_CHECKING:
    from desktopapp.engine.events import PreviewRead

SIDE_PX = 1920
_HEIGHT_PX, _MOST_WIDTH_PX = 72, 150


@dataclass(slots=True)
class _Look:
    """One part, and where it is shown."""

    zoom: ZoomedIn
    button: QToolButton
    image: QImage = field(default_factory=QImage)


class ZoomRow(QWidget):
    """A heading and a row of parts; takes no room before the first.

    Signals:
        preview_wanted: `Attachment`, positions, longest side in pixels.
    """

    preview_wanted = Signal(object, object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.looks: list[_Look] = []
        self._heading = QLabel(self)
        self._heading.setProperty("role", "secondary")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(SPACE_S)
        self._buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._heading)
        layout.addLayout(self._buttons)
        self.hide()

    def add(self, zoom: ZoomedIn, attachment: Attachment) -> None:
        """Show one more part.

        Args:
            zoom: what was looked at.
            attachment: the file, as it was sent.
        """
        button = QToolButton(self)
        button.setProperty("role", "quiet")
        button.setFixedHeight(_HEIGHT_PX)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        look = _Look(zoom, button)
        self.looks.append(look)
        button.clicked.connect(lambda: self._open(look))
        self._buttons.insertWidget(len(self.looks) - 1, button)
        self._describe(look)
        self.retranslate()
        self.show()
        self.preview_wanted.emit(attachment, (_position(zoom),), SIDE_PX)

    def show_preview(self, preview: PreviewRead) -> None:
        """A picture came from the engine; the part is cut out of it."""
        for look in self.looks:
            is_better = preview.width > look.image.width()
            if (preview.path, preview.position) == (look.zoom.path, _position(look.zoom)) and is_better:
                whole = to_image(preview)
                if not whole.isNull():
                    self._show(look, whole)

    def retranslate(self) -> None:
        """Speak the language of now."""
        self._heading.setText(self.tr("Looked closer: %1").replace("%1", str(len(self.looks))))
        for look in self.looks:
            self._describe(look)

    def _show(self, look: _Look, whole: QImage) -> None:
        left, top, right, bottom = (
            round(value / FULL * side)
            for value, side in zip(look.zoom.box, (whole.width(), whole.height()) * 2, strict=True)
        )
        look.image = whole.copy(QRect(left, top, max(1, right - left), max(1, bottom - top)))
        ratio = self.devicePixelRatio()
        room = QSize(_MOST_WIDTH_PX, _HEIGHT_PX - 8)
        pixmap = QPixmap.fromImage(
            look.image.scaled(
                room * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        )
        pixmap.setDevicePixelRatio(ratio)
        look.button.setIcon(QIcon(pixmap))
        look.button.setIconSize(pixmap.size() / ratio)
        look.button.setFixedWidth(round(pixmap.width() / ratio) + 8)

    def _describe(self, look: _Look) -> None:
        name = file_label(look.zoom.path)
        if look.zoom.page:
            name = self.tr("Page %1 of %2").replace("%1", str(look.zoom.page)).replace("%2", name)
        words = f"{look.zoom.label} ({name})" if look.zoom.label else name
        look.button.setToolTip(plain_tool_tip(words))
        look.button.setAccessibleName(self.tr("Looked closer at %1").replace("%1", words))

    def _open(self, look: _Look) -> None:
        if look.image.isNull():
            return
        dialog = QDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(look.button.accessibleName())
        canvas = PlacesCanvas(dialog)
        canvas.show_image(look.image)
        layout = QVBoxLayout(dialog)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.addWidget(canvas)
        dialog.resize(look.image.size().scaled(760, 560, Qt.AspectRatioMode.KeepAspectRatio))
        dialog.open()


def _position(zoom: ZoomedIn) -> float:
    return float(zoom.page) if zoom.page else WHOLE_PICTURE
