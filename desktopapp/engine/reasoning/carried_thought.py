"""What of a step's thought goes into the next one word for word: its last sentences."""

from __future__ import annotations

import re

MOST_TOKENS = 256
"""Most that is carried of a thought; of short steps, as much as one step's length."""
# Behind a digit a full stop ends a sentence only if a space follows: it may be a decimal point.
_BEHIND_SENTENCE = re.compile(r"(?<=[。！？\n])|(?<=[.!?]\s)")


def last_sentences(thought: str, most_characters: int) -> str:
    """The end of a thought that was cut, from where a sentence begins.

    Args:
        thought: up to the cut, maybe within a sentence.
        most_characters: of what is carried.

    Returns:
        As many sentences as there is room for, the one that was cut among them; of one that is too long, its last words. No
        line breaks at the end: they are held back until more comes behind them.
    """
    thought = thought.rstrip("\n")
    if len(thought) <= most_characters:
        return thought
    latest = len(thought) - most_characters
    starts = (match.end() for match in _BEHIND_SENTENCE.finditer(thought, latest))
    start = next((start for start in starts if thought[start:].strip()), -1)
    if start < 0:
        start = thought.find(" ", latest)
    return thought[start:] if start >= 0 else thought[latest:]
