"""What a model costs, from its shape and from its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from desktopapp.engine.memory.kv_format import KV_FORMATS
from desktopapp.engine.memory.model_spec import read_folder_spec, read_gguf_spec, read_spec
from desktopapp.engine.memory.spec import KV_TYPES, TextShape
from desktopapp.errors import ModelDamaged, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.model import ModelFiles, WeightFormat
from tests.published_configs import published_config, write_published_config


@pytest.mark.parametrize(
    ("size", "weights", "vision_weights"),
    [
        ("2B", 2_127_532_032, 406_957_056),
        ("4B", 4_437_815_808, 415_347_712),
        ("8B", 8_767_123_696, 576_388_336),
    ],
)
def test_weights_of_the_published_members(
    size: str, weights: int, vision_weights: int, tmp_path: Path
) -> None:
    write_published_config(tmp_path, size)
    spec = read_folder_spec(tmp_path)
    assert (spec.weights, spec.vision.weights) == (weights, vision_weights)
    assert spec.weight_bytes == 2 * weights
    assert not spec.is_measured


def test_a_mixture_counts_all_experts() -> None:
    shape = TextShape(
        layers=48, hidden=2048, feed_forward=6144, heads=32, kv_heads=4, head_dim=128, vocabulary=151936,
        tied_embeddings=False, context_tokens=262144, experts=128, expert_feed_forward=768,
    )  # fmt: skip
    assert 30.4e9 < shape.weights < 30.6e9


@pytest.mark.parametrize(
    ("size", "kv_type", "token_bytes"),
    [
        ("2B", "16bit", 114_688),
        ("4B", "16bit", 147_456),
        ("8B", "16bit", 147_456),
        ("4B", "int8", 2 * 36 * 8 * (128 + 2)),
        ("4B", "fp8_e4m3", 2 * 36 * 8 * (128 + 2)),
        ("4B", "int4", 2 * 36 * 8 * (64 + 4)),
        ("4B", "q8_0", 147_456 // 2 * 34 // 32),
        ("4B", "q4_0", 147_456 // 4 * 18 // 16),
    ],
)
def test_kv_bytes_of_a_token(size: str, kv_type: str, token_bytes: int, tmp_path: Path) -> None:
    write_published_config(tmp_path, size)
    assert read_folder_spec(tmp_path).kv_token_bytes(kv_type) == token_bytes


def test_fewer_bits_cost_less(tmp_path: Path) -> None:
    write_published_config(tmp_path, "4B")
    spec = read_folder_spec(tmp_path)
    by_bits: dict[int, list[int]] = {}
    for kind in KV_TYPES.values():
        by_bits.setdefault(kind.bits, []).append(spec.kv_token_bytes(kind.name))
    assert max(by_bits[4]) < 0.6 * min(by_bits[8])
    assert max(by_bits[8]) < 0.6 * min(by_bits[16])


def test_a_folder_with_weights_is_measured(random_folder: Path) -> None:
    spec = read_folder_spec(random_folder)
    header_bytes = (random_folder / "model.safetensors").stat().st_size
    assert spec.is_measured
    assert spec.precision == "F32"
    assert spec.weight_bytes == pytest.approx(header_bytes, rel=0.01)
    assert spec.weight_bytes == 4 * spec.weights
    assert spec.weight_bytes_as("BF16") == 2 * spec.weights
    assert spec.pixel_budget.max_pixels == 262_144


def test_gguf_and_folder_agree_on_the_shape(random_folder: Path, random_gguf: ModelFiles) -> None:
    folder, gguf = read_folder_spec(random_folder), read_spec(random_gguf)
    assert gguf.format is WeightFormat.GGUF
    assert gguf.text == folder.text
    assert gguf.vision == folder.vision
    assert gguf.pixel_budget == folder.pixel_budget
    assert gguf.text_bytes == pytest.approx(folder.text_bytes, rel=0.001)
    assert gguf.vision_bytes == pytest.approx(folder.vision_bytes, rel=0.001)
    assert 0 < gguf.repeated_bytes < gguf.text_bytes


def test_a_gguf_without_its_projector_sees_nothing(random_gguf: ModelFiles) -> None:
    spec = read_gguf_spec(random_gguf.path, None)
    assert (spec.vision_bytes, spec.vision.layers) == (0, 0)


def test_no_config(tmp_path: Path) -> None:
    with pytest.raises(ModelIncomplete):
        read_folder_spec(tmp_path)


def test_another_architecture(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(ModelUnsupported, match="llama"):
        read_folder_spec(tmp_path)


@pytest.mark.parametrize("value", [None, 0, -1, "36", 1 << 40, True, [36]])
def test_an_impossible_size_is_named(value: Any, tmp_path: Path) -> None:
    config = published_config("4B")
    config["text_config"]["num_hidden_layers"] = value
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelDamaged, match="num_hidden_layers"):
        read_folder_spec(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_a_garbled_config(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelDamaged):
        read_folder_spec(tmp_path)


def test_kv_types_are_those_of_the_transformers_engine() -> None:
    for name, kv_format in KV_FORMATS.items():
        assert 2 * KV_TYPES[name].head_bytes(128) == kv_format.bytes_per_token(1, 1, 128, 2)
