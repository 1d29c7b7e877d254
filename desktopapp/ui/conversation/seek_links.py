"""Times in an answer about a video as links: an address of our own that leads to a second, never out of the window."""

from __future__ import annotations

from collections.abc import Iterator

from desktopapp.engine.grounding.find_moments import spoken_times
from desktopapp.ui.conversation.blocks import Span, Style
from desktopapp.ui.conversation.sanitise import is_web_address

_SCHEME = "seek:"


def seek_second(address: str) -> float | None:
    """The second that an address of ours leads to; None for any other address."""
    if not address.startswith(_SCHEME):
        return None
    return float(address.removeprefix(_SCHEME))


def is_followable(address: str) -> bool:
    """Whether a click may follow an address: the web's, or one to a second."""
    return is_web_address(address) or seek_second(address) is not None


def link_times(spans: tuple[Span, ...]) -> Iterator[Span]:
    """Spans with the times in them as links; code and what is a link already stay as they are."""
    for span in spans:
        if span.target or Style.CODE in span.style:
            yield span
            continue
        position = 0
        for start, end, second in spoken_times(span.text):
            if start > position:
                yield Span(span.text[position:start], span.style)
            yield Span(span.text[start:end], span.style, f"{_SCHEME}{second!r}")
            position = end
        if position < len(span.text):
            yield Span(span.text[position:], span.style)
