"""Characters out of token bytes: a token may end in the middle of an emoji or a Chinese character."""

from __future__ import annotations

import codecs


class Utf8Assembler:
    """Gives out whole characters as soon as their last byte came.

    Bytes that can never become a character turn into U+FFFD; an unfinished character does so only in `finish`.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, data: bytes) -> str:
        """The characters that `data` completes; may be empty."""
        return self._decoder.decode(data)

    def finish(self) -> str:
        """What is left when no more bytes come: empty, or U+FFFD for a character that was cut."""
        return self._decoder.decode(b"", final=True)
