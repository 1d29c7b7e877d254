"""The files that ship, byte for byte, and the GGUF files that set-up makes of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.modelstore.store import find_model
from models.pocket.shape import MERGES, THOUGHT_END_ID, TURN_END_ID
from models.qwen_files.tokenizer import make_tokenizer

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "models" / "qwen3-vl"
KINDS = ("instruct", "thinking")
SUMS = {
    name: digest
    for digest, name in (
        line.split() for line in (ROOT / "models/pocket/SHA256SUMS").read_text().splitlines()
    )
}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_exports_are_the_listed_ones(kind: str, tmp_path: Path) -> None:
    name = f"qwen3-vl-pocket-{kind}"
    assert sha256(MODELS / name / "model.safetensors") == SUMS[f"{name}/model.safetensors"]
    text, projector = tmp_path / f"{name}-Q8_0.gguf", tmp_path / f"mmproj-{name}-F16.gguf"
    export_gguf(MODELS / name, text, projector, "Q8_0", "F16")
    for file in (text, projector):
        assert sha256(file) == SUMS[f"{name}/{file.name}"]


def test_pair_is_small_and_found() -> None:
    shipped = [f for k in KINDS for f in (MODELS / f"qwen3-vl-pocket-{k}").iterdir() if f.suffix != ".gguf"]
    assert sum(file.stat().st_size for file in shipped) < 36_000_000
    for kind in KINDS:
        model = find_model(str(MODELS / f"qwen3-vl-pocket-{kind}"))
        assert model.kind == kind
        assert not model.random_weights
        assert not model.problem


def test_training_counts_tokens_as_the_shipped_tokenizer() -> None:
    tokenizer = make_tokenizer(MERGES)
    text = "a|<|im_end|></think>ÿþ 文"
    assert tokenizer.token_to_id("<|im_end|>") == TURN_END_ID
    assert tokenizer.token_to_id("</think>") == THOUGHT_END_ID
    plain = "ÿþ 文ab"
    assert tokenizer.encode(plain).ids == list(plain.encode())
    for kind in KINDS:
        shipped = (MODELS / f"qwen3-vl-pocket-{kind}" / "tokenizer.json").read_text(encoding="utf-8")
        assert type(tokenizer).from_str(shipped).encode(text).ids == tokenizer.encode(text).ids
