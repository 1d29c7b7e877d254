"""Makes the folder of a random-weight model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from desktopapp.modelstore.model import ModelKind
from models.qwen_files.chat_template import write_chat_template
from models.qwen_files.config import ModelShape, write_configs
from models.qwen_files.processors import write_processors
from models.qwen_files.tokenizer import THOUGHT_END, TURN_END, make_tokenizer, write_tokenizer
from models.qwen_files.weights import FloatType, write_weights
from models.random_pair.tensors import RandomTensors

# Some of the commonest English pairs, so that tokens are not all single bytes.
MERGES = (
    ("Ġ", "t"), ("Ġ", "a"), ("h", "e"), ("i", "n"), ("r", "e"), ("o", "n"), ("Ġt", "he"), ("e", "r"),
    ("Ġ", "s"), ("a", "t"), ("Ġ", "o"), ("n", "d"), ("i", "s"), ("o", "r"), ("in", "g"), ("Ġa", "nd"),
)  # fmt: skip

# Logit of each sort of token above the never-said ones.
_LETTER, _PUNCTUATION, _LINE_END, _THOUGHT_END = 6.0, 4.5, 4.5, 5.9
# Answers of some hundred tokens. An Instruct model's presence penalty presses every token but this one.
_TURN_END = {ModelKind.INSTRUCT: 4.9, ModelKind.THINKING: 5.45}
# A picture costs at most this, 256 visual tokens, so that a CPU answers in a second.
_MAX_IMAGE_PIXELS = 262_144


# Some 600,000 parameters.
TINY = ModelShape(
    vocabulary=320,
    layers=4,
    hidden=64,
    feed_forward=128,
    heads=2,
    kv_heads=1,
    context_tokens=8192,
    vision_layers=4,
    vision_hidden=32,
    vision_feed_forward=64,
    vision_heads=2,
)


def make_random_model(
    folder: Path, kind: ModelKind, *, seed: int, dtype: FloatType = "BF16", shape: ModelShape = TINY
) -> None:
    """Write a complete model folder; the same arguments give the same bytes.

    Args:
        folder: is made; files in it are replaced.
        kind: Instruct or Thinking.
        seed: of the weights.
        dtype: of the stored weights.
        shape: of the model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(MERGES)
    token_ids = tokenizer.get_vocab(with_added_tokens=True)
    write_tokenizer(folder, tokenizer, context_tokens=shape.context_tokens)
    write_chat_template(folder, kind)
    write_processors(folder, max_image_pixels=_MAX_IMAGE_PIXELS)
    write_configs(folder, shape, kind, token_ids, dtype=dtype, extra={"random_weights": True})
    tensors = RandomTensors(shape, seed).draw(_token_bias(kind, token_ids, shape.vocabulary))
    write_weights(folder / "model.safetensors", tensors, dtype)


def _token_bias(kind: ModelKind, token_ids: Mapping[str, int], vocabulary: int) -> NDArray[np.float32]:
    """Letters are likely, marks less so; the stop token and a Thinking model's `</think>` now and then."""
    bias = np.zeros(vocabulary, np.float32)
    for token, token_id in token_ids.items():
        text = token.replace("Ġ", " ")
        if text.strip().isascii() and (text.isspace() or text.strip().isalpha()):
            bias[token_id] = _LETTER
        elif len(text) == 1 and text.isascii() and text.isprintable():
            bias[token_id] = _PUNCTUATION
    bias[ord("\n")] = _LINE_END
    bias[token_ids[TURN_END]] = _TURN_END[kind]
    if kind is ModelKind.THINKING:
        bias[token_ids[THOUGHT_END]] = _THOUGHT_END
    return bias
