"""The button that names the model, and the list behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktopapp.modelstore.model import InstalledModel
from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.model_row_delegate import ModelRowDelegate
from desktopapp.ui.model_rows import ModelRow, rows_of
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import CONTROL_HEIGHT, SPACE_M, SPACE_S

_POPUP_WIDTH = 460
_MOST_POPUP_HEIGHT = 420
_MODEL_FILES = "GGUF (*.gguf)"

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


class _Popup(QFrame):
    """The list with the buttons below it; closes by itself on Esc or a click elsewhere."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.list = QListView(self)
        self.list.setObjectName("modelList")
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.empty = QLabel(self)
        self.empty.setProperty("role", "secondary")
        self.empty.setWordWrap(True)
        self.open_folder = QPushButton(self)
        self.open_file = QPushButton(self)
        buttons = QHBoxLayout()
        for button in (self.open_folder, self.open_file):
            button.setProperty("role", "quiet")
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch()
        hairline = QFrame(self)
        hairline.setProperty("role", "hairline")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.empty)
        layout.addWidget(self.list)
        layout.addWidget(hairline)
        layout.addLayout(buttons)


class ModelPicker(QPushButton):
    """Shows the model in use; opens the list of all.

    Signals:
        chosen: the person chose this `ModelRow`.
        place_opened: path of a folder or GGUF file that the person wants listed and used.
        opened: the list was opened; a good time to look for models again.
    """

    chosen = Signal(object)
    place_opened = Signal(str)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[InstalledModel, ...] | None = None
        self._current = ""
        self._model = ModelListModel(self)
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._chip = QLabel(self)
        self._chip.setProperty("role", "chip")
        self._chevron = QLabel(self)
        self._popup = _Popup(self)
        self._popup.list.setModel(self._model)
        self._popup.list.setItemDelegate(ModelRowDelegate(self._popup.list))
        self._build()
        self._popup.list.activated.connect(self._choose)
        self._popup.list.clicked.connect(self._choose)
        self._popup.open_folder.clicked.connect(self._open_folder)
        self._popup.open_file.clicked.connect(self._open_file)
        self.clicked.connect(self.open)
        self._retranslate()

    @property
    def rows(self) -> list[ModelRow]:
        """What the list shows."""
        return self._model.rows

    @property
    def current(self) -> ModelRow | None:
        """The row of the model in use, where the list has it."""
        return next((row for row in self.rows if row.model == self._current), None)

    def show_models(self, models: Sequence[InstalledModel]) -> None:
        """Show what the model store found."""
        self._models = tuple(models)
        self._retranslate()

    def show_current(self, model: str) -> None:
        """Name the model in use: a `ModelRow.model`, or empty for none."""
        self._current = model
        self._retranslate()

    def open(self) -> None:
        """Open the list below the button."""
        self.opened.emit()
        self._fit_popup()
        self._popup.move(self._popup_place())
        self._popup.show()
        self._popup.list.setFocus()
        row = next((place for place, row in enumerate(self.rows) if row.model == self._current), 0)
        self._popup.list.setCurrentIndex(self._model.index(row))

    def close_list(self) -> None:
        """Close the list."""
        self._popup.hide()

    def sizeHint(self) -> QSize:
        return QSize(self._layout.sizeHint().width(), CONTROL_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, CONTROL_HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if is_palette_change(event):
            self._retint()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build(self) -> None:
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(SPACE_M, 0, SPACE_S, 0)
        self._layout.setSpacing(SPACE_S)
        for label in (self._name, self._chip, self._chevron):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._layout.addWidget(label)
        self._chip.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._retint()

    def _retint(self) -> None:
        icon = tinted_icon("chevron", colors_of(self).text_secondary, size=16)
        self._chevron.setPixmap(icon.pixmap(QSize(16, 16), self.devicePixelRatio()))

    def _retranslate(self) -> None:
        self._model.show(rows_of(self._models or ()))
        row = self.current
        name = self._name_text(row)
        self._name.set_full_text(name)
        self._chip.setText(row.kind if row else "")
        self._chip.setVisible(bool(row and row.kind))
        self.setAccessibleName(self.tr("Model: {name}").format(name=row.spoken if row else name))
        self.setToolTip(self.tr("Choose a model (Ctrl+M)"))
        self._popup.setAccessibleName(self.tr("Models"))
        self._popup.list.setAccessibleName(self.tr("Models"))
        self._popup.open_folder.setText(self.tr("Open folder …"))
        self._popup.open_file.setText(self.tr("Open GGUF file …"))
        self._popup.empty.setText(
            self.tr("Looking for models …") if self._models is None else self.tr("No model was found.")
        )
        self._popup.empty.setVisible(not self.rows)
        self._popup.list.setVisible(bool(self.rows))
        if self._popup.isVisible():
            self._fit_popup()
        self.updateGeometry()

    def _name_text(self, row: ModelRow | None) -> str:
        if row is not None and row.is_variant:
            main = self.rows[: self.rows.index(row)]
            owner = next((above.title for above in reversed(main) if not above.is_variant), "")
            return f"{owner} {row.title}"
        if row is not None:
            return row.title
        return self._current or self.tr("Choose a model")

    def _fit_popup(self) -> None:
        width = min(_POPUP_WIDTH, self.window().width() - 2 * SPACE_M)
        self._popup.list.setFixedWidth(width)
        self._popup.list.doItemsLayout()
        heights = sum(self._popup.list.sizeHintForRow(row) for row in range(len(self.rows)))
        self._popup.list.setFixedHeight(min(heights, _MOST_POPUP_HEIGHT))
        self._popup.adjustSize()

    def _popup_place(self) -> QPoint:
        place = self.mapToGlobal(QPoint(0, self.height() + 4))
        screen = self.screen().availableGeometry()
        place.setX(max(screen.left(), min(place.x(), screen.right() - self._popup.width())))
        place.setY(max(screen.top(), min(place.y(), screen.bottom() - self._popup.height())))
        return place

    def _choose(self, index: QModelIndex) -> None:
        row = self.rows[index.row()]
        if not row.problem:
            self._popup.hide()
            self.chosen.emit(row)

    def _open_folder(self) -> None:
        self._popup.hide()
        folder = QFileDialog.getExistingDirectory(self.window(), self.tr("Open a model's folder"))
        if folder:
            self.place_opened.emit(folder)

    def _open_file(self) -> None:
        self._popup.hide()
        file, _ = QFileDialog.getOpenFileName(
            self.window(), self.tr("Open a model's GGUF file"), "", _MODEL_FILES
        )
        if file:
            self.place_opened.emit(file)
