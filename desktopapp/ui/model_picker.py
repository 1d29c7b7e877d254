"""The button that names the model in use and opens the list of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from desktopapp.ui.elided_label import ElidedLabel
from desktopapp.ui.icons import tinted_icon
from desktopapp.ui.theme import colors_of, is_palette_change
from desktopapp.ui.tokens import CONTROL_HEIGHT, SPACE_M, SPACE_S
from desktopapp.ui.wording import kind_word

if TYPE_CHECKING:
    from desktopapp.modelstore.model import InstalledModel
    from desktopapp.ui.model_list import ModelList
    from desktopapp.ui.model_rows import ModelRow

_MODEL_FILES = "GGUF (*.gguf)"


class ModelPicker(QPushButton):
    """Name and kind of the model in use.

    Signals:
        chosen: the person chose this `ModelRow`.
        place_opened: path of a folder or GGUF file that the person wants listed and used.
        opened: the list was opened; a good time to look for models again.
        more_wanted: the person wants to get a model.
    """

    chosen = Signal(object)
    place_opened = Signal(str)
    opened = Signal()
    more_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models: tuple[InstalledModel, ...] | None = None
        self._rows: list[ModelRow] = []
        self._current = ""
        self._list: ModelList | None = None
        self._name = ElidedLabel(self, Qt.TextElideMode.ElideMiddle)
        self._chip = QLabel(self)
        self._chip.setProperty("role", "chip")
        self._chevron = QLabel(self)
        self._build()
        self.clicked.connect(self.open)
        self._retranslate()

    @property
    def rows(self) -> list[ModelRow]:
        """What the list shows."""
        return self._rows

    @property
    def current(self) -> ModelRow | None:
        """The row of the model in use, where the list has it."""
        return next((row for row in self._rows if row.model == self._current), None)

    def owner_of(self, model: str) -> str:
        """Name of the listed model that a `ModelRow.model` is or is a form of; empty where it is not listed."""
        owner = ""
        for row in self._rows:
            owner = owner if row.is_variant else row.title
            if row.model == model:
                return owner
        return ""

    @property
    def model_list(self) -> ModelList:
        """The list, made when it is wanted first."""
        if self._list is None:
            from desktopapp.ui.model_list import ModelList

            self._list = ModelList(self)
            self._list.chosen.connect(self.chosen)
            self._list.folder_wanted.connect(self._open_folder)
            self._list.file_wanted.connect(self._open_file)
            self._list.more_wanted.connect(self._list.hide)
            self._list.more_wanted.connect(self.more_wanted)
        return self._list

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
        self.model_list.show_rows(self._rows, searching=self._models is None)
        self.model_list.make_current(self._current)
        self.model_list.open_below(self)

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
        for label in (self._chip, self._chevron):
            label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._retint()

    def _retint(self) -> None:
        icon = tinted_icon("chevron", colors_of(self).text_secondary, size=16)
        self._chevron.setPixmap(icon.pixmap(QSize(16, 16), self.devicePixelRatio()))

    def _retranslate(self) -> None:
        self._rows = self._make_rows()
        row = self.current
        name = self._name_text(row)
        self._name.set_full_text(name)
        self._chip.setText(kind_word(row.variant) if row else "")
        self._chip.setVisible(row is not None)
        self.setAccessibleName(self.tr("Model: {name}").format(name=row.spoken if row else name))
        self.setToolTip(self.tr("Choose a model (Ctrl+M)"))
        if self._list is not None:
            self._list.show_rows(self._rows, searching=self._models is None)
        self.updateGeometry()

    def _make_rows(self) -> list[ModelRow]:
        if not self._models:
            return []
        from desktopapp.ui.model_rows import rows_of

        return rows_of(self._models)

    def _name_text(self, row: ModelRow | None) -> str:
        if row is not None and row.is_variant:
            return f"{self.owner_of(row.model)} {row.title}"
        if row is not None:
            return row.title
        return self._current or self.tr("Choose a model")

    def _open_folder(self) -> None:
        self.model_list.hide()
        folder = QFileDialog.getExistingDirectory(self.window(), self.tr("Open a model's folder"))
        if folder:
            self.place_opened.emit(folder)

    def _open_file(self) -> None:
        self.model_list.hide()
        file, _ = QFileDialog.getOpenFileName(
            self.window(), self.tr("Open a model's GGUF file"), "", _MODEL_FILES
        )
        if file:
            self.place_opened.emit(file)
