"""The model picker: what it lists, what is missing in words, and choosing with the keyboard."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from desktopapp.ui.model_picker import ModelPicker

FOLDER = Path("/m/pair")
SAFETENSORS = ModelFiles(WeightFormat.SAFETENSORS, FOLDER, None, "BF16", 8_600_000_000)
QUANTISED = ModelFiles(WeightFormat.GGUF, FOLDER / "q8.gguf", FOLDER / "mm.gguf", "Q8_0", 4_700_000_000)
BLIND = ModelFiles(WeightFormat.GGUF, FOLDER / "q4.gguf", None, "Q4_K_M", 2_500_000_000, ("the mmproj file",))
PAIR = InstalledModel("pair", FOLDER, ModelKind.INSTRUCT, "pair", (SAFETENSORS, QUANTISED, BLIND))
THINKER = InstalledModel("thinker", Path("/m/t"), ModelKind.THINKING, "t", (QUANTISED,), random_weights=True)
INCOMPLETE = InstalledModel("incomplete", Path("/m/i"), ModelKind.INSTRUCT, "i", (BLIND,))
FOREIGN = InstalledModel("llama", Path("/m/l"), ModelKind.INSTRUCT, "l", (), problem="no vision part")


@pytest.fixture
def picker(qtbot: QtBot) -> ModelPicker:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show()
    picker.show_models([PAIR, THINKER, INCOMPLETE, FOREIGN])
    return picker


def test_rows_say_kind_size_precision_backends_and_what_is_missing(picker: ModelPicker) -> None:
    spoken = {row.title: row.spoken for row in picker.rows}
    assert spoken["pair"] == "pair, Instruct, automatic choice of the forms below"
    assert spoken["Q4_K_M"].endswith("Missing: the mmproj file")
    assert "Thinking" in spoken["thinker"]
    assert "random weights" in spoken["thinker"]
    assert spoken["incomplete"].endswith("Missing: the mmproj file")
    assert spoken["llama"].endswith("no vision part")


def test_forms_of_a_model_are_listed_below_it_with_their_own_path(picker: ModelPicker) -> None:
    below = [(row.title, row.model, str(row.backend)) for row in picker.rows if row.is_variant]
    assert below == [
        ("BF16", "/m/pair", "transformers"),
        ("Q8_0", "/m/pair/q8.gguf", "llama.cpp"),
        ("Q4_K_M", "/m/pair/q4.gguf", "llama.cpp"),
    ]


def test_keyboard_chooses(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.show_current("pair")
    qtbot.keyClick(picker, Qt.Key.Key_Down)
    view = picker.model_list.view
    assert picker.model_list.isVisible()
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Down)
    with qtbot.waitSignal(picker.chosen) as chosen:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert chosen.args[0].model == "/m/pair/q8.gguf"
    assert not picker.model_list.isVisible()


def test_what_cannot_be_used_cannot_be_chosen(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open()
    view = picker.model_list.view
    last = view.model().index(len(picker.rows) - 1, 0)
    view.setCurrentIndex(last)
    with qtbot.assertNotEmitted(picker.chosen):
        qtbot.keyClick(view, Qt.Key.Key_Return)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(last).center())
    assert picker.model_list.isVisible()
    picker.model_list.hide()


def test_escape_closes_the_list(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open()
    qtbot.keyClick(picker.model_list, Qt.Key.Key_Escape)
    assert not picker.model_list.isVisible()


def test_button_names_the_model_in_use(picker: ModelPicker) -> None:
    picker.show_current("thinker")
    assert picker._name.text() == "thinker"
    assert picker._chip.text() == "Thinking"
    picker.show_current("/m/pair/q8.gguf")
    assert picker._name.text() == "pair Q8_0"
    assert (picker._chip.text(), picker._chip.isHidden()) == ("Instruct", False)
    picker.show_current("/elsewhere/unknown")
    assert picker._name.text() == "/elsewhere/unknown"
    picker.show_current("")
    assert picker._name.text() == "Choose a model"


def test_new_scan_keeps_the_cursor_where_it_was(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open()
    picker.model_list.make_current("thinker")
    picker.show_models([FOREIGN, PAIR, THINKER])
    view = picker.model_list.view
    assert view.currentIndex().data() == "thinker"
    picker.model_list.hide()


def test_any_place_can_be_opened(picker: ModelPicker, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/some/folder")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/some/model.gguf", ""))
    picker.open()
    with qtbot.waitSignal(picker.place_opened) as opened:
        picker.model_list.folder_wanted.emit()
    assert opened.args == ["/some/folder"]
    with qtbot.waitSignal(picker.place_opened) as opened:
        picker.model_list.file_wanted.emit()
    assert opened.args == ["/some/model.gguf"]


def test_no_model_is_said(qtbot: QtBot) -> None:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    picker.show()
    picker.open()
    assert picker.model_list._empty.text() == "Looking for models …"
    picker.show_models([])
    assert picker.model_list._empty.text() == "No model was found."
    picker.model_list.hide()
