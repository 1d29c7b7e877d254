from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from tokenizers import Tokenizer

from desktopapp.modelstore.byte_level import BYTE_TO_CHAR, token_bytes
from desktopapp.modelstore.model import ModelKind
from models.qwen_files.weights import bfloat16_bits, write_weights
from models.random_pair import make_random_model


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_same_seed_same_bytes_other_seed_other_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_random_model(tmp_path / name, ModelKind.THINKING, seed=seed)
    first, again, other = (contents(tmp_path / name) for name in "abc")
    assert first == again
    assert {name for name in first if first[name] != other[name]} == {"model.safetensors"}


def test_folder_says_that_its_weights_are_random(random_folder: Path) -> None:
    config = json.loads((random_folder / "config.json").read_text())
    assert config["random_weights"] is True
    assert config["model_type"] == "qwen3_vl"


def test_tokenizer_covers_every_byte_and_keeps_control_tokens(random_folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(random_folder / "tokenizer.json"))
    text = "the thing\n<|im_end|>你好 🙂\t\x00é"
    ids = tokenizer.encode(text).ids
    assert tokenizer.token_to_id("<|im_end|>") in ids
    assert tokenizer.token_to_id("Ġthe") is not None
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert tokenizer.get_vocab_size() <= 320


def test_byte_level_alphabet_is_the_libraries() -> None:
    from tokenizers.pre_tokenizers import ByteLevel

    assert sorted(BYTE_TO_CHAR.values()) == sorted(ByteLevel.alphabet())
    pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    for text in ("aé\n \x7f", "你🙂\u00ad"):
        assert token_bytes(pre_tokenizer.pre_tokenize_str(text)[0][0]) == text.encode()


def test_bfloat16_rounds_to_nearest_even() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, -2.5, 3.140625], np.float32)
    assert bfloat16_bits(values).tolist() == [0x3F80, 0x3F80, 0x3F82, 0xC020, 0x4049]


@pytest.mark.parametrize("dtype", ["BF16", "F32"])
def test_written_weights_are_read_back(tmp_path: Path, dtype: str) -> None:
    file = tmp_path / "w.safetensors"
    tensors = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([0.5], np.float32)}
    write_weights(file, tensors, "BF16" if dtype == "BF16" else "F32")
    with safe_open(file, framework="pt") as stored:
        assert sorted(stored.keys()) == ["a", "b"]
        assert stored.get_slice("b").get_dtype() == dtype
        assert stored.get_tensor("b").tolist() == tensors["b"].tolist()
