from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from desktopapp import errors
from desktopapp.modelstore import gguf_folder, store
from desktopapp.modelstore.model import InstalledModel, ModelKind, WeightFormat
from desktopapp.modelstore.store import find_model, find_models, find_variant, is_usable

INSTRUCT_TEMPLATE = "{% for m in messages %}<|im_start|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
THINKING_TEMPLATE = INSTRUCT_TEMPLATE.replace("assistant\n", "assistant\n<think>\n")
CONFIG = {
    "model_type": "qwen3_vl",
    "vision_config": {"depth": 2},
    "text_config": {"hidden_size": 64},
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty per-user model folder, and no models of the program."""
    monkeypatch.setenv("QWEN3VL_DESKTOP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("desktopapp.paths.program_dir", lambda: tmp_path / "program")
    place = tmp_path / "home" / "models" / "qwen3-vl"
    place.mkdir(parents=True)
    return place


def write_safetensors(path: Path, type_name: str = "BF16", elements: int = 8) -> None:
    size = elements * (4 if type_name == "F32" else 2)
    header = json.dumps({"a": {"dtype": type_name, "shape": [elements], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def make_folder(folder: Path, *, template: str = INSTRUCT_TEMPLATE, **config: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "chat_template.jinja").write_text(template)
    for name in ("tokenizer.json", "preprocessor_config.json"):
        (folder / name).write_text("{}")
    write_safetensors(folder / "model.safetensors")
    return folder


def make_gguf(
    path: Path,
    *,
    architecture: str = "qwen3vl",
    file_type: int = 7,
    template: str | None = INSTRUCT_TEMPLATE,
    width: int = 64,
    extra: Callable[[gguf.GGUFWriter], None] = lambda writer: None,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_file_type(file_type)
    if architecture == "clip":
        writer.add_uint32("clip.vision.projection_dim", width)
    else:
        writer.add_embedding_length(width)
        if template is not None:
            writer.add_chat_template(template)
    extra(writer)
    writer.add_tensor("t", np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def make_projector(path: Path, file_type: int = 1, width: int = 64) -> Path:
    return make_gguf(path, architecture="clip", file_type=file_type, width=width)


def only(models: list[InstalledModel]) -> InstalledModel:
    (model,) = models
    return model


def test_nothing_there(place: Path) -> None:
    assert find_models() == []
    with pytest.raises(errors.NoModel) as caught:
        find_model("")
    assert str(place) in caught.value.remedy
    with pytest.raises(errors.ModelNotFound):
        find_model("nothing")


def test_a_complete_folder(place: Path) -> None:
    folder = make_folder(place / "Qwen3-VL-4B-Instruct")
    model = only(find_models())
    assert (model.name, model.folder, model.kind) == ("Qwen3-VL-4B-Instruct", folder, ModelKind.INSTRUCT)
    assert (model.family, model.problem, model.random_weights) == ("qwen3-vl-4b", "", False)
    (files,) = model.files
    assert (files.format, files.path, files.projector) == (WeightFormat.SAFETENSORS, folder, None)
    assert (files.precision, files.missing) == ("BF16", ())
    assert files.size_bytes == (folder / "model.safetensors").stat().st_size


@pytest.mark.parametrize("kept_in", ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"])
def test_the_template_tells_the_kind_and_not_the_name(place: Path, kept_in: str) -> None:
    folder = make_folder(place / "some-instruct")
    (folder / "chat_template.jinja").unlink()
    content = (
        THINKING_TEMPLATE if kept_in.endswith("jinja") else json.dumps({"chat_template": THINKING_TEMPLATE})
    )
    (folder / kept_in).write_text(content)
    assert only(find_models()).kind is ModelKind.THINKING


def test_a_closed_thought_in_the_generation_prompt_is_no_thinking_model(place: Path) -> None:
    make_folder(
        place / "m", template=INSTRUCT_TEMPLATE.replace("assistant\n", "assistant\n<think>\n\n</think>\n\n")
    )
    assert only(find_models()).kind is ModelKind.INSTRUCT


def test_without_a_template_the_name_tells_the_kind(place: Path) -> None:
    (make_folder(place / "Qwen3-VL-4B-Thinking") / "chat_template.jinja").unlink()
    model = only(find_models())
    assert model.kind is ModelKind.THINKING
    assert model.files[0].missing == ("the chat template",)


def test_random_weights_are_known(place: Path) -> None:
    make_folder(place / "a", random_weights=True)
    make_gguf(place / "b" / "b.gguf", extra=lambda w: w.add_bool(gguf_folder.RANDOM_WEIGHTS_KEY, True))
    assert [model.random_weights for model in find_models()] == [True, True]


@pytest.mark.parametrize(
    ("removed", "words"),
    [
        ("model.safetensors", "the weights (model.safetensors)"),
        ("tokenizer.json", "the tokenizer (tokenizer.json)"),
        ("preprocessor_config.json", "preprocessor_config.json"),
        ("config.json", "config.json"),
    ],
)
def test_what_is_missing_is_named(place: Path, removed: str, words: str) -> None:
    (make_folder(place / "m") / removed).unlink()
    model = only(find_models())
    assert model.files[0].missing == (words,)
    assert not is_usable(model)


def test_a_missing_shard_is_named(place: Path) -> None:
    folder = make_folder(place / "m")
    (folder / "model.safetensors").unlink()
    names = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("abc", names, strict=True))})
    )
    write_safetensors(folder / names[0])
    write_safetensors(folder / names[2], "F32", 100)
    (files,) = only(find_models()).files
    assert files.missing == (f"“{names[1]}”",)
    assert files.precision == "F32"


def test_a_shard_that_points_out_of_the_folder_is_not_followed(place: Path) -> None:
    folder = make_folder(place / "m")
    write_safetensors(place / "outside.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../outside.safetensors"}}')
    assert find_model("m").files[0].missing == ("“outside.safetensors”",)


def test_weights_that_are_cut_short_are_named(place: Path) -> None:
    path = make_folder(place / "m") / "model.safetensors"
    for kept in (-1, 20):
        write_safetensors(path)
        path.write_bytes(path.read_bytes()[:kept])
        assert only(find_models()).files[0].missing == ("the rest of “model.safetensors” (it is cut short)",)


def test_a_git_lfs_pointer_is_named_for_what_it_is(place: Path) -> None:
    path = make_folder(place / "m") / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "Git LFS" in only(find_models()).files[0].missing[0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "llama"}, "“llama”"),
        ({"vision_config": None}, "no vision part"),
        ({"text_config": None}, "no text part"),
    ],
)
def test_another_architecture_is_listed_with_its_problem(
    place: Path, config: dict[str, Any], words: str
) -> None:
    make_folder(place / "m", **config)
    assert words in only(find_models()).problem
    with pytest.raises(errors.ModelUnsupported, match="m”"):
        find_model("m")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("model.safetensors", b"garbage that is no length at all"),
        ("model.safetensors", struct.pack("<Q", 2) + b"[]"),
        ("model.safetensors", struct.pack("<Q", 8) + b'{"a": 1}'),
        ("model.safetensors", b"abc"),
        ("model.safetensors.index.json", b"{}"),
        ("model.safetensors.index.json", b'{"weight_map": []}'),
    ],
)
def test_a_damaged_file_is_named(place: Path, file: str, content: bytes) -> None:
    (make_folder(place / "m") / file).write_bytes(content)
    model = only(find_models())
    assert f"“{file}” is damaged" in model.problem
    with pytest.raises(errors.ModelDamaged):
        find_model("m")


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


def test_names_are_found_in_any_case_with_the_owner_or_by_file(place: Path) -> None:
    make_folder(place / "Qwen3-VL-4B-Instruct")
    make_gguf(place / "other" / "Qwen3-VL-8B-Q4_K_M.gguf", file_type=15)
    make_gguf(place / "other" / "Qwen3-VL-8B-Q8_0.gguf")
    for name in ("qwen3-vl-4b-instruct", "Qwen/Qwen3-VL-4B-Instruct"):
        assert find_model(name).name == "Qwen3-VL-4B-Instruct"
    for name in ("Qwen3-VL-8B-Q4_K_M", "qwen3-vl-8b-q4_k_m.gguf"):
        assert [files.precision for files in find_model(name).files] == ["Q4_K_M"]


def test_paths_lead_to_models_anywhere(place: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "elsewhere" / "mine")
    weights = make_gguf(tmp_path / "loose" / "a-Q8_0.gguf")
    make_gguf(tmp_path / "loose" / "a-Q4_0.gguf", file_type=2)
    projector = make_projector(tmp_path / "loose" / "mmproj.gguf")
    assert find_model(str(folder)).name == "mine"
    assert find_model(str(folder / "model.safetensors")).name == "mine"
    assert find_model(str(tmp_path / "elsewhere")).name == "mine"
    one = find_model(str(weights))
    assert (one.name, [files.path for files in one.files]) == ("a-Q8_0", [weights])
    assert one.files[0].projector == projector
    with pytest.raises(errors.ModelUnsupported, match="mmproj"):
        find_model(str(projector))
    for nothing in (tmp_path / "none", tmp_path / "program", "a\0b"):
        with pytest.raises(errors.ModelNotFound):
            find_model(str(nothing))


def test_path_wins_over_a_listed_model_of_the_same_name(place: Path, tmp_path: Path) -> None:
    listed = make_folder(place / "qwen3-vl-4b-instruct")
    other = make_folder(tmp_path / "elsewhere" / "qwen3-vl-4b-instruct")
    assert find_model(str(other)).folder == other
    assert find_model("qwen3-vl-4b-instruct").folder == listed


def test_extra_places_are_folders_of_models_models_and_files(place: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "shelf" / "one")
    make_folder(tmp_path / "two")
    third = make_gguf(tmp_path / "files" / "three.gguf")
    make_gguf(tmp_path / "files" / "four.gguf")
    extra = [tmp_path / "shelf", tmp_path / "two", third, tmp_path / "gone", tmp_path / "two"]
    assert [model.name for model in find_models(extra)] == ["one", "two", "three"]


def test_the_settings_name_extra_places(place: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "two")
    (tmp_path / "home" / "config.yaml").write_text(json.dumps({"model_places": [str(tmp_path / "two")]}))
    assert find_model("two").name == "two"
    assert find_models(()) == []


def test_names_are_unique(place: Path, tmp_path: Path) -> None:
    make_folder(tmp_path / "program" / "models" / "qwen3-vl" / "same")
    make_folder(place / "same")
    models = find_models()
    assert [model.name for model in models] == ["same", "same (2)"]
    assert {model.family for model in models} == {"same"}
    assert find_model("same (2)").folder == place / "same"


def test_the_default_is_real_before_random_and_instruct_before_thinking(place: Path) -> None:
    make_folder(place / "a-random", random_weights=True)
    assert find_model("").name == "a-random"
    make_folder(place / "b-thinking", template=THINKING_TEMPLATE)
    assert find_model("").name == "b-thinking"
    make_folder(place / "c-instruct")
    assert find_model("").name == "c-instruct"
    (place / "c-instruct" / "tokenizer.json").unlink()
    assert find_model("").name == "b-thinking"


def test_the_default_is_the_largest(place: Path) -> None:
    for name, elements in (("a", 8), ("b", 64), ("c", 8)):
        write_safetensors(make_folder(place / name) / "model.safetensors", elements=elements)
    assert find_model("").name == "b"


def test_the_variant_is_the_usable_one_of_the_family_nearest(place: Path, tmp_path: Path) -> None:
    instruct = "Qwen3-VL-4B-Instruct"
    make_folder(place / instruct)
    assert find_variant(find_model(instruct), ModelKind.INSTRUCT) == find_model(instruct)
    assert find_variant(find_model(instruct), ModelKind.THINKING) is None
    make_folder(place / "Qwen3-VL-8B-Thinking", template=THINKING_TEMPLATE)
    make_folder(place / "Qwen3-VL-4B-Thinking-FP8", template=THINKING_TEMPLATE, random_weights=True)
    assert find_variant(find_model(instruct), ModelKind.THINKING) is None
    broken = make_folder(place / "a" / "b", template=THINKING_TEMPLATE).parent
    broken.rename(place / "Qwen3-VL-4B-thinking")
    assert find_variant(find_model(instruct), ModelKind.THINKING) is None
    make_folder(
        tmp_path / "program" / "models" / "qwen3-vl" / "qwen3-vl-4b-thinking", template=THINKING_TEMPLATE
    )
    far = find_variant(find_model(instruct), ModelKind.THINKING)
    assert far is not None
    assert far.name == "qwen3-vl-4b-thinking"
    make_folder(place / "Qwen3-VL-4B_Thinking-BF16", template=THINKING_TEMPLATE)
    near = find_variant(find_model(instruct), ModelKind.THINKING)
    assert near is not None
    assert near.folder.parent == place


def test_a_variant_beside_a_model_that_was_opened_by_path(place: Path, tmp_path: Path) -> None:
    opened = make_folder(tmp_path / "x" / "q-instruct")
    make_folder(tmp_path / "x" / "q-thinking", template=THINKING_TEMPLATE)
    variant = find_variant(find_model(str(opened)), ModelKind.THINKING)
    assert variant is not None
    assert variant.name == "q-thinking"


def test_headers_are_read_once_until_the_file_changes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_gguf(place / "m" / "m.gguf")
    reads: list[Path] = []
    original = gguf_folder.read_gguf_header
    monkeypatch.setattr(gguf_folder, "read_gguf_header", lambda p: (reads.append(p), original(p))[1])
    find_models()
    find_models()
    assert reads == [path]
    make_gguf(path, template=THINKING_TEMPLATE)
    assert only(find_models()).kind is ModelKind.THINKING


def test_listing_needs_no_heavy_library() -> None:
    code = (
        "import sys; from desktopapp.modelstore.store import find_models; find_models(); "
        "heavy = {'numpy', 'torch', 'transformers', 'llama_cpp', 'PySide6', 'gguf'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("question", ["is_file", "is_dir"])
def test_a_folder_that_may_not_be_entered_does_not_cost_the_list(
    question: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Path.is_file` raises where the folder above it may be listed and not entered."""
    make_folder(place / "locked")
    good = make_folder(place / "Qwen3-VL-2B-Instruct")
    asked = getattr(Path, question)

    def ask(path: Path) -> bool:
        if "locked" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return bool(asked(path))

    monkeypatch.setattr(store.Path, question, ask)
    assert [model.name for model in find_models()] == [good.name]
    assert find_variant(find_model(""), ModelKind.THINKING) is None


@pytest.mark.parametrize("offsets", ["[0, 1e999]", "[0, NaN]", "[5, 1]", "[0]", '"ab"', "[" * 100_000])
def test_a_hostile_safetensors_header_is_a_damaged_model(offsets: str, place: Path) -> None:
    folder = make_folder(place / "Qwen3-VL-2B-Instruct")
    header = f'{{"a": {{"dtype": "BF16", "shape": [8], "data_offsets": {offsets}}}}}'.encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    (model,) = find_models()
    assert "garbled" in model.problem
    with pytest.raises(errors.ModelDamaged):
        find_model(folder.name)
