"""The byte-level alphabet of GPT-2, Qwen and their kin: each byte is written as one printable character.

Printable Latin-1 characters stand for themselves; every other byte stands for the next free character from
U+0100 on, in the order of the bytes.

Source of the format: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2,
and its released encoder.
"""

from __future__ import annotations


def _byte_to_char() -> dict[int, str]:
    itself = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in itself]
    chars = {byte: chr(byte) for byte in itself}
    chars.update({byte: chr(0x100 + index) for index, byte in enumerate(others)})
    return dict(sorted(chars.items()))


BYTE_TO_CHAR = _byte_to_char()
CHAR_TO_BYTE = {char: byte for byte, char in BYTE_TO_CHAR.items()}


def token_bytes(token: str) -> bytes:
    """The bytes that a vocabulary entry stands for.

    Args:
        token: as written in the vocabulary, `Ġthe`.

    Raises:
        KeyError: a character is outside the alphabet, so the entry is no byte-level token.
    """
    return bytes(CHAR_TO_BYTE[char] for char in token)
