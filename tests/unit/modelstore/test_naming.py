from __future__ import annotations

import pytest

from desktopapp.modelstore.model import ModelKind
from desktopapp.modelstore.naming import family_name, kind_from_name, split_part, without_precision


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Qwen3-VL-4B-Instruct", "qwen3-vl-4b"),
        ("Qwen3-VL-4B-Thinking", "qwen3-vl-4b"),
        ("qwen3-vl-4b-instruct-GGUF", "qwen3-vl-4b"),
        ("Qwen3_VL_30B_A3B_Thinking", "qwen3-vl-30b-a3b"),
        ("Qwen3-VL-8B-Instruct-FP8", "qwen3-vl-8b"),
        ("qwen3-vl-random-thinking", "qwen3-vl-random"),
        ("instruct", "instruct"),
        ("Q8_0", "q8-0"),
    ],
)
def test_family(name: str, family: str) -> None:
    assert family_name(name) == family


@pytest.mark.parametrize(
    "mark",
    [
        "Q8_0",
        "Q4_K_M",
        "q4_k_s",
        "IQ4_XS",
        "UD-Q4_K_XL",
        "UD-IQ1_S",
        "F16",
        "BF16",
        "f32",
        "MXFP4",
        "FP8",
        "AWQ",
        "TQ1_0",
    ],
)
def test_marks_of_precision_are_taken_off(mark: str) -> None:
    assert without_precision(f"Qwen3-VL-4B-Instruct-{mark}") == "Qwen3-VL-4B-Instruct"
    assert without_precision(f"Qwen3-VL-4B-Instruct.{mark}") == "Qwen3-VL-4B-Instruct"


@pytest.mark.parametrize("name", ["Qwen3-VL-30B-A3B-Instruct", "qwen-vision", "B16", "instructions"])
def test_other_names_stay(name: str) -> None:
    assert without_precision(name) == name


def test_parts_of_a_split_file() -> None:
    assert split_part("big-Q8_0-00002-of-00003") == ("big-Q8_0", 2, 3)
    assert split_part("big-Q8_0") is None


def test_kind() -> None:
    assert kind_from_name("Qwen3-VL-4B-Thinking-Q8_0") is ModelKind.THINKING
    assert kind_from_name("unnamed", "x-thinking") is ModelKind.THINKING
    assert kind_from_name("thinkingcap") is ModelKind.INSTRUCT
