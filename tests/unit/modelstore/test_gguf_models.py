"""GGUF files as models: projectors, precisions, parts, what is damaged or missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktopapp import errors
from desktopapp.modelstore.model import ModelKind, WeightFormat
from desktopapp.modelstore.store import find_model, find_models
from tests.model_folders import (
    CONFIG,
    INSTRUCT_TEMPLATE,
    THINKING_TEMPLATE,
    make_folder,
    make_gguf,
    make_projector,
    only,
)


def test_a_gguf_with_its_projector(place: Path) -> None:
    weights = make_gguf(place / "pocket-instruct" / "model-Q8_0.gguf")
    projector = make_projector(place / "pocket-instruct" / "mmproj.gguf")
    model = only(find_models())
    assert (model.name, model.family) == ("pocket-instruct", "pocket")
    (files,) = model.files
    assert (files.format, files.path, files.projector) == (WeightFormat.GGUF, weights, projector)
    assert (files.precision, files.missing) == ("Q8_0", ())
    assert files.size_bytes == weights.stat().st_size + projector.stat().st_size


def test_the_projector_is_known_by_its_architecture_and_not_its_name(place: Path) -> None:
    make_gguf(place / "m" / "mmproj-called.gguf")
    projector = make_projector(place / "m" / "vision.gguf")
    assert only(find_models()).files[0].projector == projector


def test_a_missing_projector_is_named(place: Path) -> None:
    make_gguf(place / "m" / "m.gguf")
    assert only(find_models()).files[0].missing == ("the mmproj file",)


def test_a_projector_alone_is_listed_with_its_problem(place: Path) -> None:
    make_projector(place / "m" / "mmproj-F16.gguf")
    assert only(find_models()).problem
    with pytest.raises(errors.ModelIncomplete):
        find_model("m")


def test_f16_is_the_preferred_precision_of_a_projector(place: Path) -> None:
    make_gguf(place / "m" / "m.gguf")
    for name, file_type in (("mmproj-BF16", 32), ("mmproj-F16", 1), ("mmproj-F32", 0)):
        make_projector(place / "m" / f"{name}.gguf", file_type)
    projector = only(find_models()).files[0].projector
    assert projector is not None
    assert projector.name == "mmproj-F16.gguf"


def test_a_projector_of_another_width_is_the_last_choice(place: Path) -> None:
    make_gguf(place / "m" / "m.gguf")
    wrong = make_projector(place / "m" / "mmproj-F16.gguf", width=128)
    assert only(find_models()).files[0].projector == wrong
    right = make_projector(place / "m" / "mmproj-F32.gguf", file_type=0)
    assert only(find_models()).files[0].projector == right


def test_several_precisions_are_one_model_with_the_best_first(place: Path) -> None:
    for name, file_type in (("F16", 1), ("Q4_K_M", 15), ("Q8_0", 7), ("Q2_K", 10)):
        make_gguf(place / "m" / f"Qwen3-VL-4B-Instruct-{name}.gguf", file_type=file_type)
    make_projector(place / "m" / "mmproj.gguf")
    assert [files.precision for files in only(find_models()).files] == ["Q8_0", "Q4_K_M", "F16", "Q2_K"]


def test_models_side_by_side_in_one_folder(place: Path) -> None:
    make_gguf(place / "Qwen3-VL-4B-Instruct-Q8_0.gguf")
    make_gguf(place / "Qwen3-VL-4B-Thinking-Q8_0.gguf", template=THINKING_TEMPLATE)
    make_gguf(place / "Qwen3-VL-8B-Instruct-Q8_0.gguf", width=128)
    make_projector(place / "mmproj-Qwen3-VL-4B-Thinking-F16.gguf")
    make_projector(place / "mmproj-Qwen3-VL-4B-Instruct-F16.gguf")
    make_projector(place / "mmproj-Qwen3-VL-8B-Instruct-F16.gguf", width=128)
    models = {model.name: model for model in find_models()}
    assert set(models) == {"Qwen3-VL-4B-Instruct", "Qwen3-VL-4B-Thinking", "Qwen3-VL-8B-Instruct"}
    for name, model in models.items():
        projector = model.files[0].projector
        assert projector is not None
        assert projector.name == f"mmproj-{name}-F16.gguf"


def test_a_folder_with_both_formats_is_one_model(place: Path) -> None:
    folder = make_folder(place / "m")
    make_gguf(folder / "whatever-Q8_0.gguf")
    make_projector(folder / "mmproj.gguf")
    model = only(find_models())
    assert [files.format for files in model.files] == [WeightFormat.SAFETENSORS, WeightFormat.GGUF]


def test_a_stray_config_beside_ggufs_does_not_count(place: Path) -> None:
    make_gguf(place / "m" / "m.gguf")
    make_projector(place / "m" / "mmproj.gguf")
    (place / "m" / "config.json").write_text(json.dumps(CONFIG))
    assert [files.format for files in find_model("m").files] == [WeightFormat.GGUF]


def test_a_split_gguf_is_one_file(place: Path) -> None:
    first = make_gguf(place / "m" / "big-Q8_0-00001-of-00003.gguf")
    for number in (2, 3):
        make_gguf(place / "m" / f"big-Q8_0-0000{number}-of-00003.gguf", template=None)
    make_projector(place / "m" / "mmproj.gguf")
    (files,) = only(find_models()).files
    assert (files.path, files.missing) == (first, ())
    assert files.size_bytes == sum(path.stat().st_size for path in (place / "m").iterdir())


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_missing_parts_of_a_split_gguf_are_named(place: Path, gone: int) -> None:
    make_projector(place / "m" / "mmproj.gguf")
    for number in {1, 2, 3} - {gone}:
        # Only the first part of a split file carries the model's own values.
        architecture = "qwen3vl" if number == 1 else ""
        make_gguf(
            place / "m" / f"big-thinking-0000{number}-of-00003.gguf",
            architecture=architecture,
            template=INSTRUCT_TEMPLATE,
        )
    model = only(find_models())
    assert f"“big-thinking-0000{gone}-of-00003.gguf”" in model.files[0].missing
    assert model.files[0].path.name == "big-thinking-00001-of-00003.gguf"
    assert model.kind is (ModelKind.THINKING if gone == 1 else ModelKind.INSTRUCT)


def test_another_architecture_of_gguf(place: Path) -> None:
    make_gguf(place / "m" / "m.gguf", architecture="llama")
    assert "“llama”" in only(find_models()).problem
    with pytest.raises(errors.ModelUnsupported):
        find_model("m")


def test_a_damaged_gguf_does_not_cost_its_neighbour(place: Path) -> None:
    good = make_gguf(place / "m" / "model-Q8_0.gguf")
    make_projector(place / "m" / "mmproj.gguf")
    bad = place / "m" / "model-Q4_0.gguf"
    bad.write_bytes(good.read_bytes()[:-10])
    problems = {model.name: bool(model.problem) for model in find_models()}
    assert problems == {"model": False, "model-Q4_0": True}
    with pytest.raises(errors.ModelDamaged, match="model-Q4_0"):
        find_model(str(bad))
