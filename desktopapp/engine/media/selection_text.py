"""Page ranges and times as people type them."""

from __future__ import annotations


def parse_pages(text: str, page_count: int) -> tuple[int, int | None] | None:
    """A page range as people type it: `3`, `3-7`, `3-`, `-7`, or nothing for all.

    Args:
        text: what was typed.
        page_count: of the document; 0 where it is not known.

    Returns:
        First page and last page (None for the last one), or None where it is no range of the document.
    """
    if not text.strip():
        return 1, None
    first_text, dash, last_text = (part.strip() for part in text.replace("–", "-").partition("-"))
    if not all(part.isascii() and (part.isdigit() or not part) for part in (first_text, last_text)):
        return None
    first = int(first_text) if first_text else 1
    last = int(last_text) if last_text else None if dash else first
    most = page_count or max(first, last or 0)
    return (first, last) if 1 <= first <= (last or most) <= most else None


def parse_time(text: str) -> float | None:
    """Seconds of `1:02:03`, `2:03.5` or `7`; None where it is no time."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3:
        return None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if any(not 0 <= number < 1e6 for number in numbers):
        return None
    seconds = 0.0
    for number in numbers:
        seconds = seconds * 60 + number
    return seconds


def format_time(seconds: float) -> str:
    """A time as `parse_time` reads it, with a decimal only where it counts."""
    hours, rest = divmod(round(max(0.0, seconds), 1), 3600)
    minutes, left = divmod(rest, 60)
    tail = f"{left:04.1f}".removesuffix(".0")
    return f"{hours:.0f}:{minutes:02.0f}:{tail}" if hours else f"{minutes:.0f}:{tail}"
