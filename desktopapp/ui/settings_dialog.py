"""Every setting of `config.yaml` in one dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktopapp import paths
from desktopapp.modelstore.hub.address import DEFAULT_ENDPOINT
from desktopapp.settings import Settings, limits_of_setting
from desktopapp.ui.check_box import CheckBox
from desktopapp.ui.choice_box import ChoiceBox
from desktopapp.ui.theme import fonts
from desktopapp.ui.tokens import SPACE_L, SPACE_M, SPACE_S, SPACE_XL
from desktopapp.ui.wording import kv_type_word


@dataclass(frozen=True, slots=True)
class _Field:
    """One setting's widget, and how its value is read and shown."""

    widget: QWidget
    read: Callable[[], Any]
    show: Callable[[Any], None]


_FIELD_PX = 28
"""The height of a field in the style sheet."""


class SettingsDialog(QDialog):
    """Shows settings, and hands out what the person made of them.

    Args:
        settings: as they are.
        parent: of the dialog.

    Signals:
        chosen: carries the new `Settings`.
    """

    chosen = Signal(object)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._fields: dict[str, _Field] = {}
        self.setWindowTitle(self.tr("Settings"))
        content = QWidget(self)
        self._form = QFormLayout(content)
        self._form.setContentsMargins(0, 0, SPACE_M, 0)
        self._form.setHorizontalSpacing(SPACE_XL)
        self._form.setVerticalSpacing(SPACE_S)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._add_answers()
        self._add_model()
        self._add_memory()
        self._add_window()
        self._show(settings)
        for box in content.findChildren(QAbstractSpinBox):
            box.lineEdit().setTextMargins(SPACE_S, 0, 0, 0)  # a style sheet's padding does not reach its text
        scroller = QScrollArea(self)
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QScrollArea.Shape.NoFrame)
        scroller.setWidget(content)
        place = QLabel(self.tr("These are kept in {file}.").format(file=paths.settings_file()), self)
        place.setProperty("role", "secondary")
        place.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(scroller, 1)
        layout.addWidget(place)
        layout.addWidget(self._make_buttons())
        self.resize(600, 640)

    @property
    def settings(self) -> Settings:
        """What the dialog shows."""
        return replace(self._settings, **{name: field.read() for name, field in self._fields.items()})

    def field(self, name: str) -> QWidget:
        """The widget of a setting, by its name in `config.yaml`."""
        return self._fields[name].widget

    def accept(self) -> None:
        if self.settings != self._settings:
            self.chosen.emit(self.settings)
        super().accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wheel scrolls the page: nobody wants a setting changed in passing."""
        if event.type() is QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _show(self, settings: Settings) -> None:
        for name, field in self._fields.items():
            field.show(getattr(settings, name))

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(self)
        save = QPushButton(self.tr("Save"), self)
        save.setDefault(True)
        save.setProperty("role", "primary")
        buttons.addButton(save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        reset = buttons.addButton(self.tr("Restore defaults"), QDialogButtonBox.ButtonRole.ResetRole)
        reset.clicked.connect(lambda: self._show(Settings()))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _add_answers(self) -> None:
        self._add_title(self.tr("Answers"))
        self._add_choice(
            "use_thinking_mode",
            self.tr("Answer with"),
            {
                "auto": self.tr("Automatic: by the task"),
                "false": self.tr("Instruct: answers at once"),
                "true": self.tr("Thinking: thinks first"),
            },
        )
        self._add_number(
            "thought_budget", self.tr("Longest thought, in tokens"), self.tr("What there is room for")
        )
        self._add_number("max_steps", self.tr("Steps of a thought"))
        self._add_number("step_tokens", self.tr("Longest step, in tokens"))
        self._add_check("streaming", self.tr("Show answers while they are written"))

    def _add_model(self) -> None:
        self._add_title(self.tr("Model"))
        self._add_text("model_name", self.tr("Name or path"), self.tr("The largest usable one"))
        self._add_choice(
            "backend",
            self.tr("Backend"),
            {"auto": self.tr("Automatic"), "transformers": "transformers", "llama.cpp": "llama.cpp"},
        )
        self._add_text("hub_endpoint", self.tr("Download models from"), DEFAULT_ENDPOINT)
        self._add_number("max_seq_len", self.tr("Longest conversation, in tokens"), self.tr("Automatic"))

    def _add_memory(self) -> None:
        self._add_title(self.tr("Memory"))
        self._add_limit("vram_limit_gib", self.tr("Most memory, in GiB"), self.tr("What is free"))
        types = {"auto": self.tr("Automatic: as the memory asks for"), "none": kv_type_word("16bit")}
        types |= {name: kv_type_word(name) for name in ("int8", "fp8_e4m3", "fp8_e5m2", "int4")}
        self._add_choice("kv_cache_quantization", self.tr("KV cache"), types)
        self._add_check("chunked_prefill", self.tr("Read long prompts in chunks"))
        self._add_number("prefill_chunk_size", self.tr("Size of a chunk, in tokens"), self.tr("Automatic"))
        self._add_number(
            "image_max_tokens",
            self.tr("Most tokens of a picture"),
            self.tr("As fine as the model reads them"),
        )

    def _add_window(self) -> None:
        self._add_title(self.tr("Window"))
        self._add_choice(
            "theme",
            self.tr("Theme"),
            {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")},
        )
        self._add_choice(
            "language",
            self.tr("Language"),
            {"system": self.tr("As the system"), "en": "English", "zh_CN": "简体中文"},
        )
        self._add_check("show_history", self.tr("Show earlier conversations at the side"))

    def _add_title(self, text: str) -> None:
        title = QLabel(text, self)
        title.setFont(fonts().title)
        title.setContentsMargins(0, SPACE_M if self._form.rowCount() else 0, 0, 0)
        self._form.addRow(title)

    def _add(self, name: str, label: str, field: _Field) -> None:
        field.widget.setAccessibleName(label)
        field.widget.installEventFilter(self)
        self._fields[name] = field
        caption = QLabel(label, self)
        caption.setBuddy(field.widget)
        # The layout centres a label in less than its field's height.
        caption.setMinimumHeight(_FIELD_PX)
        self._form.addRow(caption, field.widget)

    def _add_choice(self, name: str, label: str, options: Mapping[str, str]) -> None:
        box = ChoiceBox(self)
        for value, words in options.items():
            box.addItem(words, value)

        def show(value: str) -> None:
            if box.findData(value) < 0:
                box.addItem(value, value)  # a value of the file that is not offered stays as it is
            box.setCurrentIndex(box.findData(value))

        self._add(name, label, _Field(box, box.currentData, show))

    def _add_check(self, name: str, label: str) -> None:
        box = CheckBox(label, self)
        self._fields[name] = _Field(box, box.isChecked, box.setChecked)
        self._form.addRow(box)

    def _add_text(self, name: str, label: str, when_empty: str) -> None:
        edit = QLineEdit(self)
        edit.setPlaceholderText(when_empty)
        self._add(name, label, _Field(edit, lambda: edit.text().strip(), edit.setText))

    def _add_number(self, name: str, label: str, when_none: str = "") -> None:
        least, most = limits_of_setting(name)
        box = QSpinBox(self)
        # One below the least stands for "none"; what is typed in between comes up to the least.
        box.setRange(int(least) - bool(when_none), int(most))
        box.setSpecialValueText(when_none)
        none = int(least) - 1

        def read() -> int | None:
            return None if when_none and box.value() == none else box.value()

        self._add(
            name, label, _Field(box, read, lambda value: box.setValue(none if value is None else value))
        )

    def _add_limit(self, name: str, label: str, when_none: str) -> None:
        _, most = limits_of_setting(name)
        box = QDoubleSpinBox(self)
        box.setRange(0.0, most)
        box.setDecimals(2)
        box.setSingleStep(0.5)
        box.setSpecialValueText(when_none)
        self._add(
            name, label, _Field(box, lambda: box.value() or None, lambda value: box.setValue(value or 0.0))
        )
