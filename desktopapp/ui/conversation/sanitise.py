"""Neutralises characters and addresses by which hostile text could deceive or disturb the window."""

from __future__ import annotations

import re
from html import escape

# Controls but tab and line feed; line and paragraph separators; what QTextDocument uses for its own structure
# (object replacement, frame begin and end); overrides and embeddings that would reorder what follows.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufdd0-\ufdef\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]"
)
_INVISIBLE = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_WEB_ADDRESS = re.compile(r"https?://[^/?#\s\\]", re.IGNORECASE)
BARE_ADDRESS = re.compile(
    r"https?://[^\s<>\"'`|\\^{}\u3000-\u303f\uff00-\uffef]*[^\s<>\"'`|\\^{}\u3000-\u303f\uff00-\uffef.,;:!?)\]*_~]"
)


def clean_markdown(text: str) -> str:
    """Text for prose, without the characters that must never reach a document.

    Zero-width joiners and isolates stay: emoji and right-to-left prose need them. Works character by character, so
    that text cut anywhere gives the same result.
    """
    return _FORBIDDEN.sub("", text)


def reveal_invisible(code: str) -> str:
    """Code with every invisible direction or zero-width character shown as its code point, as `⟨U+2066⟩`."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", code)


def plain_tool_tip(text: str) -> str:
    """Text for a tool tip, which Qt would else read as rich text wherever it looks like that."""
    return f"<p style='white-space:pre'>{escape(text)}</p>" if text else ""


def is_web_address(address: str) -> bool:
    """True for http and https with a host: the only addresses that a click may open."""
    return bool(_WEB_ADDRESS.match(address))
