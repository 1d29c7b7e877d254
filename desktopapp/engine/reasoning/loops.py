"""Notices that a thought goes in circles.

Three signs, looked for now and then in the tokens that came: the end is one short piece again and again; most n-grams
of a long stretch came before in it; a paragraph comes for the third time. Sampling seldom repeats a long piece to the
token, so the second sign is the one that slightly varied loops show.
"""

from __future__ import annotations

from collections.abc import Sequence

_CHECK_EVERY_TOKENS = 32
_LONGEST_PERIOD = 256
_CYCLES = 4
_SHORTEST_REPEAT_TOKENS = 64
_WINDOW_TOKENS = 1024
_GRAM_TOKENS = 16
_LEAST_DISTINCT = 0.3
_PARAGRAPH_CHARACTERS = 60
_PARAGRAPH_TIMES = 3


class LoopDetector:
    """Give it each token of a thought with its text; it says when the thought goes in circles."""

    def __init__(self) -> None:
        self._tokens: list[int] = []
        self._line: list[str] = []
        self._paragraphs: dict[str, int] = {}

    def add(self, token_id: int, text: str) -> bool:
        """Take one token; True once the thought repeats itself.

        Args:
            token_id: of the model's vocabulary.
            text: that it added, maybe empty.
        """
        self._tokens.append(token_id)
        if self._repeats_paragraph(text):
            return True
        if len(self._tokens) % _CHECK_EVERY_TOKENS:
            return False
        return _ends_in_cycle(self._tokens) or _has_few_ngrams(self._tokens)

    def _repeats_paragraph(self, text: str) -> bool:
        pieces = text.split("\n")
        self._line.append(pieces[0])
        repeated = False
        for piece in pieces[1:]:
            repeated |= self._count("".join(self._line))
            self._line = [piece]
        return repeated

    def _count(self, line: str) -> bool:
        paragraph = " ".join(line.split()).lower()
        if len(paragraph) < _PARAGRAPH_CHARACTERS:
            return False
        times = self._paragraphs.get(paragraph, 0) + 1
        self._paragraphs[paragraph] = times
        return times >= _PARAGRAPH_TIMES


def _ends_in_cycle(tokens: Sequence[int]) -> bool:
    """Whether the last tokens are one piece, `_CYCLES` times or more."""
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // _CYCLES) + 1):
        length = max(_CYCLES * period, _SHORTEST_REPEAT_TOKENS)
        if length <= len(tokens) and tokens[-length:-period] == tokens[-length + period :]:
            return True
    return False


def _has_few_ngrams(tokens: Sequence[int]) -> bool:
    """Whether most n-grams of the last window occur in it more than once."""
    if len(tokens) < _WINDOW_TOKENS:
        return False
    window = tokens[-_WINDOW_TOKENS:]
    grams = {tuple(window[i : i + _GRAM_TOKENS]) for i in range(_WINDOW_TOKENS - _GRAM_TOKENS + 1)}
    return len(grams) < _LEAST_DISTINCT * (_WINDOW_TOKENS - _GRAM_TOKENS + 1)
