"""A byte-level BPE tokenizer in Qwen's form: 256 bytes, merges, then the control tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from desktopapp.modelstore.byte_level import BYTE_TO_CHAR

# How Qwen2 and Qwen3 cut text before merging: English contractions, words with one leading mark, single digits,
# runs of punctuation, line ends, white space. Source: `pre_tokenizer` in their published tokenizer.json.
PRE_TOKENIZER_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
VISION_START = "<|vision_start|>"
VISION_END = "<|vision_end|>"
IMAGE_PAD = "<|image_pad|>"
VIDEO_PAD = "<|video_pad|>"
THOUGHT_START = "<think>"
THOUGHT_END = "</think>"

# In the order of Qwen3's own ids. "Special" ones are never part of an answer's text; the others may be.
SPECIAL_TOKENS = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    VISION_START,
    VISION_END,
    "<|vision_pad|>",
    IMAGE_PAD,
    VIDEO_PAD,
)
TEXT_TOKENS = (
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    THOUGHT_START,
    THOUGHT_END,
)


def make_tokenizer(merges: Sequence[tuple[str, str]] = ()) -> Tokenizer:
    """Make the tokenizer.

    Args:
        merges: pairs in the byte-level alphabet, the first merged first; each pair's halves must be bytes or the
            results of earlier merges.

    Returns:
        ids 0..255 are the bytes in order, then the merges, then `SPECIAL_TOKENS` and `TEXT_TOKENS`.
    """
    vocabulary = {char: byte for byte, char in BYTE_TO_CHAR.items()}
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRE_TOKENIZER_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in TEXT_TOKENS])
    return tokenizer


def write_tokenizer(folder: Path, tokenizer: Tokenizer, *, context_tokens: int) -> None:
    """Write tokenizer.json and tokenizer_config.json.

    Args:
        folder: of the model; exists.
        tokenizer: made by `make_tokenizer`, or trained and given the same control tokens.
        context_tokens: longest text the model takes.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    added = {
        str(token_id): {
            "content": token.content,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": token.special,
        }
        for token_id, token in sorted(tokenizer.get_added_tokens_decoder().items())
    }
    config = {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": list(SPECIAL_TOKENS[1:]),
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": TURN_END,
        "errors": "replace",
        "model_max_length": context_tokens,
        "pad_token": END_OF_TEXT,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    write_json(folder / "tokenizer_config.json", config)


def write_json(file: Path, content: object) -> None:
    """Write a JSON file the same way on every system."""
    file.write_bytes((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
