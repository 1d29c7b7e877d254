"""Bad model files: each becomes one typed error before, or instead of, the end of the process."""

from __future__ import annotations

import dataclasses
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.backend import LoadOptions
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.backends.llama_cpp.failures import load_failure, run_failure
from desktopapp.engine.backends.llama_cpp.file_check import check_files
from desktopapp.engine.steps import StepClock
from desktopapp.errors import (
    ModelDamaged,
    ModelError,
    ModelIncomplete,
    ModelNotFound,
    ModelUnsupported,
    OutOfMemory,
    ProjectorMismatch,
    ProjectorMissing,
    UnexpectedError,
)
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.gguf_metadata import read_gguf_header
from desktopapp.modelstore.model import ModelFiles, ModelKind
from models.random_pair import TINY, make_random_model


@pytest.fixture
def files(random_gguf: ModelFiles, tmp_path: Path) -> ModelFiles:
    """Copies to be damaged."""
    assert random_gguf.projector is not None
    text_file = shutil.copy(random_gguf.path, tmp_path / "model.gguf")
    projector_file = shutil.copy(random_gguf.projector, tmp_path / "mmproj.gguf")
    return dataclasses.replace(random_gguf, path=text_file, projector=projector_file)


def load(files: ModelFiles) -> None:
    backend = LlamaCppBackend()
    backend.load(files, LoadOptions(device="cpu"), StepClock(), lambda *_: None)
    backend.unload()


def overwrite(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new, 1))


def set_count(path: Path, key: str, value: int) -> None:
    """Give a 32-bit unsigned value of the header another number."""
    data = path.read_bytes()
    place = data.index(key.encode()) + len(key) + 4
    path.write_bytes(data[:place] + struct.pack("<I", value) + data[place + 4 :])


def test_the_pair_itself_is_fine(files: ModelFiles) -> None:
    checked = check_files(files)
    assert checked.size_bytes == files.size_bytes
    # Four layers, one KV head, keys and values of 128.
    assert checked.cell_values == 4 * 2 * 128


def test_no_file(files: ModelFiles) -> None:
    files.path.unlink()
    with pytest.raises(ModelNotFound):
        load(files)


def test_no_projector(files: ModelFiles) -> None:
    with pytest.raises(ProjectorMissing):
        load(dataclasses.replace(files, projector=None))
    assert files.projector is not None
    files.projector.unlink()
    with pytest.raises(ProjectorMissing):
        load(files)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("which", ["path", "projector"])
def test_truncated(files: ModelFiles, which: str, kept: float) -> None:
    path: Path = getattr(files, which)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ModelDamaged, match=path.name):
        load(files)


def test_another_architecture(files: ModelFiles) -> None:
    writer = gguf.GGUFWriter(files.path, "llama")
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelUnsupported, match="llama"):
        load(files)


def test_files_in_each_others_place(files: ModelFiles) -> None:
    assert files.projector is not None
    with pytest.raises(ModelUnsupported, match="clip"):
        load(dataclasses.replace(files, path=files.projector))
    with pytest.raises(ProjectorMismatch, match="qwen3vl"):
        load(dataclasses.replace(files, projector=files.path))


def test_projector_of_another_kind(files: ModelFiles) -> None:
    assert files.projector is not None
    overwrite(files.projector, b"qwen3vl_merger", b"qwen9vl_merger")
    with pytest.raises(ProjectorMismatch, match="qwen9vl_merger"):
        load(files)


def test_projector_of_another_size(files: ModelFiles, tmp_path: Path) -> None:
    make_random_model(
        tmp_path / "wide", ModelKind.INSTRUCT, seed=1, shape=dataclasses.replace(TINY, hidden=96)
    )
    export_gguf(tmp_path / "wide", tmp_path / "wide.gguf", tmp_path / "wide-mmproj.gguf")
    with pytest.raises(ProjectorMismatch, match="96 numbers a token, the model wants 64"):
        load(dataclasses.replace(files, projector=tmp_path / "wide-mmproj.gguf"))


def test_fewer_layers_than_deepstack_feeds(files: ModelFiles) -> None:
    """llama.cpp would end the process when it makes its graph."""
    set_count(files.path, "qwen3vl.block_count", 3)
    with pytest.raises(ModelDamaged, match="DeepStack"):
        load(files)


def test_projector_with_other_deepstack_layers(files: ModelFiles) -> None:
    set_count(files.path, "qwen3vl.n_deepstack_layers", 2)
    with pytest.raises(ProjectorMismatch, match="DeepStack"):
        load(files)


@pytest.mark.parametrize("key", ["attention.head_count", "block_count", "embedding_length", "context_length"])
def test_impossible_counts_of_the_text_model(files: ModelFiles, key: str) -> None:
    set_count(files.path, f"qwen3vl.{key}", 0)
    with pytest.raises(ModelDamaged, match=key):
        load(files)


@pytest.mark.parametrize("key", ["attention.head_count", "patch_size", "image_size"])
def test_impossible_counts_of_the_projector(files: ModelFiles, key: str) -> None:
    assert files.projector is not None
    set_count(files.projector, f"clip.vision.{key}", 0)
    with pytest.raises(ModelDamaged, match=key):
        load(files)


def test_sections_larger_than_a_head(files: ModelFiles) -> None:
    overwrite(files.path, struct.pack("<IIII", 24, 20, 20, 0), struct.pack("<IIII", 24, 20, 21, 0))
    with pytest.raises(ModelDamaged, match="dimension_sections"):
        load(files)


def test_heads_that_do_not_divide(files: ModelFiles) -> None:
    assert files.projector is not None
    set_count(files.projector, "clip.vision.attention.head_count", 3)
    with pytest.raises(ModelDamaged, match="heads"):
        load(files)


def test_impossible_picture_sizes(files: ModelFiles) -> None:
    assert files.projector is not None
    set_count(files.projector, "clip.vision.image_max_pixels", 0)
    with pytest.raises(ModelDamaged, match="picture sizes"):
        load(files)


def test_missing_text_tensor_is_llama_cpps_word(files: ModelFiles) -> None:
    overwrite(files.path, b"blk.3.ffn_down.weight", b"blk.3.ffn_dawn.weight")
    with pytest.raises(ModelDamaged, match=r"blk\.3\.ffn_down\.weight"):
        load(files)


@pytest.mark.parametrize(
    "name",
    [
        "v.position_embd.weight",
        "v.blk.1.attn_qkv.weight",
        "v.deepstack.2.norm.bias",
        "mm.2.bias",
        "v.post_ln.weight",
    ],
)
def test_missing_projector_tensor(files: ModelFiles, name: str) -> None:
    """Most of these end the process when llama.cpp is left alone with them."""
    assert files.projector is not None
    overwrite(files.projector, name.encode(), name.replace(".", "_").encode())
    with pytest.raises(ModelError):
        load(files)


def test_projector_keys_that_contradict_its_tensors(files: ModelFiles) -> None:
    assert files.projector is not None
    set_count(files.projector, "clip.vision.feed_forward_length", 128)
    with pytest.raises(ModelDamaged, match="ffn_up"):
        load(files)


def test_a_projector_that_promises_billions_of_blocks(files: ModelFiles) -> None:
    assert files.projector is not None
    set_count(files.projector, "clip.vision.block_count", 0xFFFFFFFF)
    with pytest.raises(ModelDamaged, match=r"v\.blk\.4"):
        load(files)


def test_missing_chat_template(files: ModelFiles) -> None:
    overwrite(files.path, b"tokenizer.chat_template", b"tokenizer.chat_tomplate")
    with pytest.raises(ModelIncomplete, match="chat template"):
        load(files)


def test_missing_shard(files: ModelFiles, random_folder: Path) -> None:
    part = files.path.with_name("m-00001-of-00002.gguf")
    config = json.loads((random_folder / "config.json").read_text())
    writer = gguf.GGUFWriter(part, "qwen3vl")
    writer.add_uint16("split.count", 2)
    writer.add_block_count(config["text_config"]["num_hidden_layers"])
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelIncomplete, match="m-00002-of-00002"):
        load(dataclasses.replace(files, path=part))


def test_a_bad_load_leaves_room_for_a_good_one(files: ModelFiles, random_gguf: ModelFiles) -> None:
    overwrite(files.path, b"blk.3.ffn_down.weight", b"blk.3.ffn_dawn.weight")
    backend = LlamaCppBackend()
    with pytest.raises(ModelError):
        backend.load(files, LoadOptions(), StepClock(), lambda *_: None)
    facts = backend.load(random_gguf, LoadOptions(), StepClock(), lambda *_: None)
    backend.unload()
    assert facts.context_tokens == 8192


def test_failures_are_told_apart() -> None:
    memory = (
        "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB: cudaMalloc failed: out of memory",
    )
    assert isinstance(load_failure("m.gguf", memory), OutOfMemory)
    assert isinstance(run_failure("reading text", -3, memory), OutOfMemory)
    mismatch = ("mismatch between text model (n_embd = 64) and mmproj (n_embd = 96)",)
    assert isinstance(load_failure("p.gguf", mismatch), ProjectorMismatch)
    lines = (
        "llama_model_load: error loading model: missing tensor 'output_norm.weight'",
        "llama_model_load_from_file_impl: failed to load model",
    )
    error = load_failure("m.gguf", lines)
    assert isinstance(error, ModelDamaged)
    assert error.values["reason"] == "missing tensor 'output_norm.weight'"
    assert "cannot read" in load_failure("m.gguf", ()).message
    assert isinstance(run_failure("reading text", 1, ()), UnexpectedError)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_mutated_headers_pass_or_are_refused(random_gguf: ModelFiles, data: st.DataObject) -> None:
    """The check itself never fails in another way, whatever stands in a header that can still be read."""
    header = read_gguf_header(random_gguf.path)
    assert random_gguf.projector is not None
    scratch = random_gguf.path.with_name("mutated.gguf")
    projector = data.draw(st.booleans())
    content = bytearray((random_gguf.projector if projector else random_gguf.path).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, header.tensors[0].offset - 1))
        content[place] = data.draw(st.integers(0, 255))
    scratch.write_bytes(content)
    part = {"projector": scratch} if projector else {"path": scratch}
    try:
        checked = check_files(dataclasses.replace(random_gguf, **part))
    except ModelError:
        return
    assert checked.cell_values > 0


def test_backend_module_loads_no_library() -> None:
    """The CLI and the engine may ask for the class without paying for llama.cpp or numpy."""
    code = (
        "import sys; from desktopapp.engine.backends.llama_cpp import LlamaCppBackend; LlamaCppBackend();"
        "sys.exit(bool({'llama_cpp', 'numpy', 'PySide6'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
