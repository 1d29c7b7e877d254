"""The header reader: reads what `gguf` writes, refuses everything damaged, never more than the file holds."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.errors import ModelDamaged, ModelNotFound
from desktopapp.modelstore import gguf_metadata
from desktopapp.modelstore.gguf_metadata import GgufHeader, LongArray, read_gguf_header


def write_sample(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "qwen3vl")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_string("general.name", "Größe 一")
    writer.add_uint32("qwen3vl.block_count", 2)
    writer.add_float32("qwen3vl.rope.freq_base", 5e6)
    writer.add_bool("qwen3vl_desktop.random_weights", True)
    writer.add_array("qwen3vl.rope.dimension_sections", [24, 20, 20, 0])
    writer.add_array("tokenizer.ggml.tokens", [f"t{i}" for i in range(3000)])
    writer.add_array("tokenizer.ggml.token_type", [1] * 3000)
    writer.add_tensor("a", np.arange(6, dtype=np.float32).reshape(2, 3))
    q8_0 = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("b", gguf.quants.quantize(np.ones((4, 64), np.float32), q8_0), raw_dtype=q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "sample.gguf"
    write_sample(path)
    return path.read_bytes()


def read_bytes(data: bytes) -> GgufHeader:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        path.write_bytes(data)
        return read_gguf_header(path)


def test_reads_what_gguf_writes(sample: bytes) -> None:
    header = read_bytes(sample)
    assert header.architecture == "qwen3vl"
    assert header.precision == "Q4_K_M"
    assert header.text("general.name") == "Größe 一"
    assert header.integer("qwen3vl.block_count") == 2
    assert header.flag("qwen3vl_desktop.random_weights")
    assert header.metadata["qwen3vl.rope.freq_base"] == 5e6
    assert header.metadata["qwen3vl.rope.dimension_sections"] == (24, 20, 20, 0)
    assert header.metadata["tokenizer.ggml.tokens"] == LongArray(3000)
    assert header.metadata["tokenizer.ggml.token_type"] == LongArray(3000)
    assert header.file_bytes == len(sample)


@pytest.mark.parametrize("block_bytes", [8, 11, 13, 100, 4096])
def test_a_vocabulary_may_lie_across_blocks_in_any_way(
    sample: bytes, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_bytes(sample)
    monkeypatch.setattr(gguf_metadata, "_BLOCK_BYTES", block_bytes)
    assert read_bytes(sample) == whole


def test_tensor_places_and_sizes(sample: bytes) -> None:
    first, second = read_bytes(sample).tensors
    assert (first.name, first.shape, first.type_name, first.size_bytes) == ("a", (3, 2), "F32", 24)
    assert (second.name, second.shape, second.type_name, second.size_bytes) == ("b", (64, 4), "Q8_0", 272)
    stored = np.frombuffer(sample, np.float32, 6, first.offset)
    assert stored.tolist() == [0, 1, 2, 3, 4, 5]


def test_precision_falls_back_to_the_largest_tensor_type(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "clip")
    writer.add_tensor("a", np.zeros(4, np.float32))
    writer.add_tensor("b", np.zeros(64, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert read_gguf_header(tmp_path / "m.gguf").precision == "F16"


def test_wrong_types_take_the_default(sample: bytes) -> None:
    header = read_bytes(sample)
    assert header.text("qwen3vl.block_count", "none") == "none"
    assert header.integer("general.name", 7) == 7
    assert header.integer("qwen3vl_desktop.random_weights", 7) == 7
    assert not header.flag("qwen3vl.block_count")


def test_missing_file() -> None:
    with pytest.raises(ModelNotFound):
        read_gguf_header(Path("nowhere.gguf"))


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_gguf_header(tmp_path)


@pytest.mark.parametrize("data", [b"", b"GG", b"GGUF", b"PK\x03\x04" + bytes(60), b"GGUF" + bytes(60)])
def test_not_gguf(data: bytes) -> None:
    with pytest.raises(ModelDamaged):
        read_bytes(data)


def test_big_endian_is_refused() -> None:
    with pytest.raises(ModelDamaged, match="version"):
        read_bytes(b"GGUF" + struct.pack(">IQQ", 3, 0, 0))


def test_one_missing_byte_is_noticed(sample: bytes) -> None:
    end = max(t.offset + t.size_bytes for t in read_bytes(sample).tensors)
    read_bytes(sample[:end])
    with pytest.raises(ModelDamaged, match="cut short"):
        read_bytes(sample[: end - 1])


def header_with_pair(key: bytes, type_id: int, value: bytes) -> bytes:
    pair = struct.pack("<Q", len(key)) + key + struct.pack("<I", type_id) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair


@pytest.mark.parametrize(
    ("type_id", "value"),
    [
        (8, struct.pack("<Q", 1 << 60)),
        (9, struct.pack("<IQ", 4, 1 << 60)),
        (9, struct.pack("<IQ", 8, 1 << 40)),
        (9, struct.pack("<IQ", 9, 1)),
        (77, b"1234"),
    ],
)
def test_impossible_lengths_and_types(type_id: int, value: bytes) -> None:
    with pytest.raises(ModelDamaged):
        read_bytes(header_with_pair(b"k", type_id, value))


@pytest.mark.parametrize("alignment", [0, 3, 1000])
def test_impossible_alignment(alignment: int) -> None:
    with pytest.raises(ModelDamaged, match="alignment"):
        read_bytes(header_with_pair(b"general.alignment", 4, struct.pack("<I", alignment)))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_files_are_read_or_refused(sample: bytes, data: st.DataObject) -> None:
    damaged = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 600) | st.integers(0, len(damaged) - 1))
        damaged[place : place + 1] = data.draw(st.binary(max_size=9))
    del damaged[data.draw(st.integers(0, len(damaged)) | st.just(len(damaged))) :]
    try:
        header = read_bytes(bytes(damaged))
    except ModelDamaged:
        return
    assert all(t.offset + t.size_bytes <= len(damaged) for t in header.tensors)
