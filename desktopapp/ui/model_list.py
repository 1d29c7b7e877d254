"""The list of models that the model picker opens."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from desktopapp.ui.model_row_delegate import ModelRowDelegate
from desktopapp.ui.model_rows import ModelRow
from desktopapp.ui.tokens import SPACE_M, SPACE_S

_WIDTH = 460
_MOST_HEIGHT = 420

_Index = QModelIndex | QPersistentModelIndex


class ModelListModel(QAbstractListModel):
    """The rows for the list view; rows with a problem can be read but not chosen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[ModelRow] = []

    def show(self, rows: list[ModelRow]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken
        return None


class ModelList(QFrame):
    """The list with buttons below it, as a popup; closes by itself on Esc or a click elsewhere.

    Signals:
        chosen: the person chose this `ModelRow`.
        folder_wanted: the person wants to open a folder.
        file_wanted: the person wants to open a GGUF file.
        more_wanted: the person wants to get a model.
    """

    chosen = Signal(object)
    folder_wanted = Signal()
    file_wanted = Signal()
    more_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._owner = parent
        self.setProperty("role", "popup")
        self._model = ModelListModel(self)
        self.view = QListView(self)
        self._empty = QLabel(self)
        self._open_folder = QPushButton(self)
        self._open_file = QPushButton(self)
        self.get_button = QPushButton(self)
        self._share: float | None = None
        self._unfinished = 0
        self._build()
        self.view.activated.connect(self._choose)
        self.view.clicked.connect(self._choose)
        self._open_folder.clicked.connect(self.folder_wanted)
        self._open_file.clicked.connect(self.file_wanted)
        self.get_button.clicked.connect(self.more_wanted)

    def show_rows(self, rows: list[ModelRow], searching: bool) -> None:
        """Show these rows; what is current stays current where it is still there.

        Args:
            rows: all rows.
            searching: models are still being looked for, so none means nothing yet.
        """
        if rows != self._model.rows:
            index = self.view.currentIndex()
            current = self._model.rows[index.row()].model if index.isValid() else ""
            self._model.show(rows)
            self.make_current(current)
        self._empty.setText(self.tr("Looking for models …") if searching else self.tr("No model was found."))
        self._empty.setVisible(not rows)
        self.view.setVisible(bool(rows))
        self.show_download(self._share, self._unfinished)
        self._open_folder.setText(self.tr("Open folder …"))
        self._open_file.setText(self.tr("Open GGUF file …"))
        for widget in (self, self.view):
            widget.setAccessibleName(self.tr("Models"))
        self._fit()

    def show_download(self, share: float | None, unfinished: int) -> None:
        """Show how far the download is.

        Args:
            share: 0..1; None for none that runs.
            unfinished: downloads that could go on.
        """
        self._share, self._unfinished = share, unfinished
        text = self.tr("Get a model …")
        if share is not None:
            text = self.tr("Get a model … ({percent} % loaded)").format(percent=int(100 * share))
        elif unfinished:
            text = self.tr("Get a model … ({count} unfinished)").format(count=unfinished)
        self.get_button.setText(text)

    def make_current(self, model: str) -> None:
        """Put the keyboard's cursor on a row."""
        rows = self._model.rows
        place = next((place for place, row in enumerate(rows) if row.model == model), 0)
        self.view.setCurrentIndex(self._model.index(place))

    def open_below(self, button: QWidget) -> None:
        """Appear below a widget, within the screen."""
        self._fit()
        place = button.mapToGlobal(QPoint(0, button.height() + 4))
        screen = button.screen().availableGeometry()
        place.setX(max(screen.left(), min(place.x(), screen.right() - self.width())))
        place.setY(max(screen.top(), min(place.y(), screen.bottom() - self.height())))
        self.move(place)
        self.show()
        (self.view if self._model.rows else self.get_button).setFocus()

    def _build(self) -> None:
        self.view.setObjectName("modelList")
        self.view.setMouseTracking(True)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setModel(self._model)
        self.view.setItemDelegate(ModelRowDelegate(self.view))
        self._empty.setProperty("role", "secondary")
        self._empty.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.get_button)
        buttons.addStretch()
        for button in (self._open_folder, self._open_file):
            button.setProperty("role", "quiet")
            buttons.addWidget(button)
        hairline = QFrame(self)
        hairline.setProperty("role", "hairline")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        for widget in (self._empty, self.view, hairline):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def _fit(self) -> None:
        width = min(_WIDTH, self._owner.window().width() - 2 * SPACE_M)
        self.view.setFixedWidth(width)
        self.view.doItemsLayout()
        heights = sum(self.view.sizeHintForRow(row) for row in range(len(self._model.rows)))
        self.view.setFixedHeight(min(heights, _MOST_HEIGHT))
        self.adjustSize()

    def _choose(self, index: QModelIndex) -> None:
        row = self._model.rows[index.row()]
        if not row.problem:
            self.hide()
            self.chosen.emit(row)
