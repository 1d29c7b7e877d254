from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from desktopapp.engine.backends.transformers.folder import open_folder
from desktopapp.errors import AppError, BackendUnavailable, ModelDamaged, ModelIncomplete, ModelUnsupported


@pytest.fixture
def folder(random_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(random_folder, tmp_path / "model"))


def edit_config(folder: Path, **fields: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    config.update(fields)
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def test_sizes_and_types_of_a_whole_folder(random_folder: Path) -> None:
    found = open_folder(random_folder)
    assert found.stored_type == "F32"
    assert found.size_bytes == (random_folder / "model.safetensors").stat().st_size
    assert found.size_bytes - 4 * found.parameters < 20_000
    assert "<|im_start|>" in found.chat_template


@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "preprocessor_config.json", "model.safetensors", "chat_template.jinja"],
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelIncomplete, match=name.replace(".", r"\.")):
        open_folder(folder)


def test_a_missing_shard_is_named(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelIncomplete, match="model-00002-of-00002"):
        open_folder(folder)


@pytest.mark.parametrize("index", ["[]", "{}", '{"weight_map": {"a": "../b"}}', '{"weight_map": {"a": 1}}'])
def test_a_strange_index_is_refused(folder: Path, index: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelDamaged):
        open_folder(folder)


@pytest.mark.parametrize("keep", [0, 5, 100, 50_000, -1])
def test_truncated_weights_are_refused(folder: Path, keep: int) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelDamaged, match=r"model\.safetensors"):
        open_folder(folder)


@pytest.mark.parametrize(
    "header", [b"not json", b"[]", b"{}", b'{"a": 1}', b'{"a": {"dtype": "F32", "shape": "x"}}', b"\xff\xfe"]
)
def test_malformed_weights_are_refused(folder: Path, header: bytes) -> None:
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelDamaged):
        open_folder(folder)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model_type": "qwen2_5_vl"}, ModelUnsupported),
        ({"model_type": None}, ModelUnsupported),
        ({"vision_config": None}, ModelUnsupported),
        ({"text_config": 3}, ModelUnsupported),
        ({"quantization_config": {"quant_method": "fp8"}}, BackendUnavailable),
    ],
)
def test_other_models_are_refused(folder: Path, fields: dict[str, object], error: type[AppError]) -> None:
    edit_config(folder, **fields)
    with pytest.raises(error):
        open_folder(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"3", b"\xff\xff", b"[" * 100_000])
def test_malformed_config_is_refused(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelDamaged):
        open_folder(folder)


def test_template_inside_the_older_files_is_found(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").write_text('{"chat_template": "from json"}')
    assert open_folder(folder).chat_template == "from json"


def test_importing_the_backend_imports_no_torch() -> None:
    code = (
        "import sys, desktopapp.engine.backends.transformers as package\n"
        "package.TransformersBackend().unload()\n"
        "sys.exit(bool({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
