from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktopapp import errors
from desktopapp.modelstore import gguf_folder, store
from desktopapp.modelstore.model import ModelKind, WeightFormat
from desktopapp.modelstore.store import find_model, find_models, find_variant, is_usable
from tests.model_folders import (
    INSTRUCT_TEMPLATE,
    THINKING_TEMPLATE,
    make_folder,
    make_gguf,
    make_projector,
    only,
    write_safetensors,
)


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
