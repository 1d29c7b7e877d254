"""The tokenizer and the chat template of a folder, as a GGUF file wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gguf

from desktopapp.errors import ModelDamaged, ModelIncomplete, ModelUnsupported
from desktopapp.modelstore.gguf_export.source import ModelFolder, Section

_TOKENIZER = "tokenizer.json"
_TOKENIZER_CONFIG = "tokenizer_config.json"
# Letters of the byte-level alphabet stand for bytes; there a blank is U+0120.
_BLANK = chr(ord(" ") + 256)
# How Qwen's tokenizer cuts text before merging, which llama.cpp knows as the pre-type `qwen2`.
_QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What llama.cpp's byte-level BPE needs.

    Args:
        tokens: by id, padded to the model's vocabulary size.
        types: a `gguf.TokenType` for each token.
        merges: pairs joined by a blank, the most frequent first.
        special_ids: of `eos`, `padding`, `bos`, by these names.
    """

    tokens: list[str]
    types: list[int]
    merges: list[str]
    special_ids: dict[str, int]


def read_vocabulary(folder: ModelFolder, vocabulary_size: int) -> Vocabulary:
    """Read the tokenizer of a folder.

    Args:
        folder: with `tokenizer.json` and `tokenizer_config.json`.
        vocabulary_size: rows of the model's embedding.

    Raises:
        ModelIncomplete: a file is missing.
        ModelDamaged: one is malformed, or has more tokens than the model.
        ModelUnsupported: another kind of tokenizer than Qwen's.
    """
    tokenizer = folder.read_json(_TOKENIZER)
    model = tokenizer.section("model")
    if model.values.get("type") != "BPE" or not _cuts_as_qwen(tokenizer.values.get("pre_tokenizer")):
        raise ModelUnsupported(name=folder.name, reason="its tokenizer is not Qwen's")
    ids, types = _collect_tokens(tokenizer, model)
    if min(ids.values(), default=0) < 0 or max(ids.values(), default=0) >= vocabulary_size:
        raise ModelDamaged(file=_TOKENIZER, reason="it has more tokens than the model")
    names = {number: token for token, number in ids.items()}
    unused = int(gguf.TokenType.UNUSED)
    return Vocabulary(
        tokens=[names.get(i, f"[PAD{i}]") for i in range(vocabulary_size)],
        types=[types.get(names[i], unused) if i in names else unused for i in range(vocabulary_size)],
        merges=_merges(model),
        special_ids=_special_ids(folder, ids),
    )


def read_chat_template(folder: ModelFolder) -> str:
    """The Jinja source, from the first place of three that has it.

    Raises:
        ModelIncomplete: none has it.
    """
    if folder.has("chat_template.jinja"):
        return folder.read_text("chat_template.jinja")
    for file_name in ("chat_template.json", _TOKENIZER_CONFIG):
        if folder.has(file_name):
            template = folder.read_json(file_name).values.get("chat_template")
            if isinstance(template, str):
                return template
    raise ModelIncomplete(name=folder.name, missing="the chat template")


def _cuts_as_qwen(pre_tokenizer: Any) -> bool:
    """Whether Qwen's pattern stands anywhere in a (nested) pre-tokenizer."""
    if isinstance(pre_tokenizer, dict):
        if pre_tokenizer.get("Regex") == _QWEN2_PATTERN:
            return True
        return any(_cuts_as_qwen(value) for value in pre_tokenizer.values())
    if isinstance(pre_tokenizer, list):
        return any(_cuts_as_qwen(value) for value in pre_tokenizer)
    return False


def _collect_tokens(tokenizer: Section, model: Section) -> tuple[dict[str, int], dict[str, int]]:
    ids = {str(token): _id(number) for token, number in model.section("vocab").values.items()}
    types = dict.fromkeys(ids, int(gguf.TokenType.NORMAL))
    added = tokenizer.values.get("added_tokens", [])
    if not ids or not isinstance(added, list) or not all(isinstance(entry, dict) for entry in added):
        raise ModelDamaged(file=_TOKENIZER, reason="its vocabulary is malformed")
    for entry in added:
        token = str(entry.get("content"))
        ids[token] = _id(entry.get("id"))
        # What looks like a control token is one: text that a person wrote must not become it.
        is_control = entry.get("special") is True or (token.startswith("<|") and token.endswith("|>"))
        types[token] = int(gguf.TokenType.CONTROL if is_control else gguf.TokenType.USER_DEFINED)
    if len(set(ids.values())) != len(ids):
        raise ModelDamaged(file=_TOKENIZER, reason="two tokens have the same number")
    return ids, types


def _id(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ModelDamaged(file=_TOKENIZER, reason="its vocabulary is malformed")
    return value


def _merges(model: Section) -> list[str]:
    merges = model.values.get("merges", [])
    if not isinstance(merges, list):
        raise ModelDamaged(file=_TOKENIZER, reason="its merges are malformed")
    joined = []
    for merge in merges:
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ModelDamaged(file=_TOKENIZER, reason="its merges are malformed")
        joined.append(" ".join(part.replace(" ", _BLANK) for part in pair))
    return joined


def _special_ids(folder: ModelFolder, ids: dict[str, int]) -> dict[str, int]:
    named = folder.read_json(_TOKENIZER_CONFIG)
    found = {}
    for name, key in (("eos", "eos_token"), ("padding", "pad_token"), ("bos", "bos_token")):
        value = named.values.get(key)
        content = value.get("content") if isinstance(value, dict) else value
        if isinstance(content, str) and content in ids:
            found[name] = ids[content]
    if "eos" not in found:
        raise ModelIncomplete(name=folder.name, missing=f"the end token in {_TOKENIZER_CONFIG}")
    # Qwen's tokenizer begins nothing with a token of its own; readers of GGUF files want a number all the same.
    found.setdefault("bos", found.get("padding", found["eos"]))
    return found
