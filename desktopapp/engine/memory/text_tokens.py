"""How many tokens a text has, before a model and its tokenizer are loaded."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from desktopapp.modelstore.model import ModelFiles, WeightFormat

# Words, single digits, East Asian characters, line ends, and everything else one by one; spaces go with words.
_PIECES = re.compile(
    "(?P<word>[^\\W\\d_\u2e80-\u9fff\uac00-\ud7af]+)|(?P<wide>[\u2e80-\u9fff\uac00-\ud7af])|(?P<one>\\d|\\n+|[^\\w\\s]|_)"
)
_WORD_LETTERS = 7
"""English words of the commonest ten thousand are one token each; longer ones are cut."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text under Qwen's vocabulary of 151,643, about; more often a little too many than too few.

    One for each word of up to seven letters and for each further seven, each digit, mark, line end, and East Asian
    character.
    """
    tokens = 0
    for piece in _PIECES.finditer(text):
        word = piece["word"]
        tokens += -(-len(word.encode("utf-8", "replace")) // _WORD_LETTERS) if word else 1
    return tokens


def count_tokens(text: str, tokenizer: Path | None) -> int:
    """Tokens of a text: exact where a `tokenizer.json` is given, else estimated.

    Args:
        text: without special tokens.
        tokenizer: a `tokenizer.json`; None, missing or malformed estimates.
    """
    if tokenizer is None or not text:
        return estimate_tokens(text)
    try:
        loaded = _load(tokenizer, tokenizer.stat().st_mtime_ns)
        return len(loaded.encode(text, add_special_tokens=False).ids)
    except Exception:  # noqa: BLE001 - the library raises bare Exceptions; loading will say what is wrong
        return estimate_tokens(text)


def tokenizer_file(files: ModelFiles | None) -> Path | None:
    """The `tokenizer.json` of a folder; a GGUF's vocabulary is inside it."""
    if files is None or files.format is not WeightFormat.SAFETENSORS:
        return None
    return files.path / "tokenizer.json"


@lru_cache(maxsize=2)
def _load(file: Path, _changed_ns: int) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))
