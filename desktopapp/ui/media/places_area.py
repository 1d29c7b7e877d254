"""Watches an answer for places and moments, and shows the panel once there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktopapp.engine.grounding.document_html import document_source
from desktopapp.engine.grounding.find_moments import find_moments
from desktopapp.engine.grounding.find_places import find_places
from desktopapp.engine.request import Attachment
from desktopapp.ui.media.groups import group_findings, kind_of

if TYPE_CHECKING:
    from desktopapp.engine.events import PreviewRead
    from desktopapp.ui.media.places_panel import PlacesPanel

_LOOK_MS = 300
_MARKS = ("bbox_2d", "point_2d", "data-bbox", "<!--")


class PlacesArea(QWidget):
    """Stands below an answer's text; takes no room while there is nothing to show.

    Signals:
        preview_wanted: `Attachment`, positions, longest side in pixels.
    """

    preview_wanted = Signal(object, object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._attachments: Sequence[Attachment] = ()
        self._text = ""
        self._width_px = 600
        self.panel: PlacesPanel | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._timer = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self.hide()

    def set_media(self, attachments: Sequence[Attachment]) -> None:
        """What the model was shown, in the order in which it counts."""
        self._attachments = tuple(attachments)

    def feed(self, text: str) -> None:
        """The answer has this text now; it is looked at a few times a second."""
        self._text = text
        if self._attachments and not self._timer.isActive():
            self._timer.start()

    def look(self) -> None:
        """Look at the text now."""
        self._timer.stop()
        if not self._attachments:
            return
        places = find_places(self._text) if any(mark in self._text for mark in _MARKS) else []
        has_video = any(kind_of(attachment) == "video" for attachment in self._attachments)
        groups = group_findings(places, find_moments(self._text) if has_video else [], self._attachments)
        if groups:
            panel = self.panel or self._make_panel()
            panel.show_groups(groups)
            panel.show_document(document_source(self._text))

    def seek(self, second: float) -> None:
        """Show a second of the video that the answer is about."""
        self.look()
        if self.panel is not None:
            self.panel.seek(second)

    def show_preview(self, preview: PreviewRead) -> None:
        """A picture came from the engine."""
        if self.panel is not None:
            self.panel.show_preview(preview)

    def set_width(self, width_px: int) -> None:
        """The width of the column."""
        self._width_px = width_px
        if self.panel is not None:
            self.panel.set_width(width_px)

    def retranslate(self) -> None:
        """Speak the language of now."""
        if self.panel is not None:
            self.panel.retranslate()

    def _make_panel(self) -> PlacesPanel:
        from desktopapp.ui.media.places_panel import PlacesPanel

        panel = self.panel = PlacesPanel(self)
        panel.preview_wanted.connect(self.preview_wanted)
        panel.set_width(self._width_px)
        self._layout.addWidget(panel)
        self.show()
        return panel
