"""The rows of all downloads, below each other."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktopapp.ui.get_model.download_row import DownloadRow
from desktopapp.ui.get_model.downloads import Downloads
from desktopapp.ui.tokens import SPACE_S

_MOST_HEIGHT = 220


class DownloadList(QScrollArea):
    """Follows the downloads of a window; hidden while there are none.

    Args:
        downloads: to show.
        parent: of the widget.

    Signals:
        used: the person wants a model that is here; carries its name.
    """

    used = Signal(str)

    def __init__(self, downloads: Downloads, parent: QWidget) -> None:
        super().__init__(parent)
        self._downloads = downloads
        self.rows: dict[str, DownloadRow] = {}
        content = QWidget(self)
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_S)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Downloads"))
        downloads.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        entries = self._downloads.entries
        keys = {entry.key for entry in entries}
        for key in [key for key in self.rows if key not in keys]:
            row = self.rows.pop(key)
            self._layout.removeWidget(row)
            row.deleteLater()
        for entry in entries:
            row = self.rows.get(entry.key) or self._add(entry.key)
            row.show_entry(entry)
        self.setVisible(bool(entries))
        self.setFixedHeight(min(_MOST_HEIGHT, self._layout.sizeHint().height()))

    def _add(self, key: str) -> DownloadRow:
        entry = next(one for one in self._downloads.entries if one.key == key)
        row = self.rows[key] = DownloadRow(entry, self)
        row.paused.connect(self._downloads.pause)
        row.resumed.connect(self._downloads.resume)
        row.removed.connect(self._downloads.remove)
        row.used.connect(self.used)
        self._layout.addWidget(row)
        return row
