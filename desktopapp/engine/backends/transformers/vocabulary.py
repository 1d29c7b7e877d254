"""The bytes that each token stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktopapp.modelstore.byte_level import token_bytes

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def vocabulary_bytes(tokenizer: PreTrainedTokenizerFast) -> dict[int, bytes]:
    """Bytes by token id; ids that the model's output has but the vocabulary lacks are absent.

    Args:
        tokenizer: with a byte-level vocabulary. Added tokens stand for their own text.

    Raises:
        KeyError: the vocabulary is not byte-level.
    """
    added = {token_id: token.content for token_id, token in tokenizer.added_tokens_decoder.items()}
    table = {
        token_id: token_bytes(token)
        for token, token_id in tokenizer.get_vocab().items()
        if token_id not in added
    }
    table.update({token_id: text.encode() for token_id, text in added.items()})
    return table
