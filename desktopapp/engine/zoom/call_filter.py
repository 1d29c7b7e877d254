"""Keeps the call of the zoom tool out of a streamed answer; another tool's call is text."""

from __future__ import annotations

from desktopapp.engine.zoom.call import CALL_CLOSING, CALL_OPENING, read_zoom_call

_LONGEST_CALL = 4_000


class CallFilter:
    """Give it an answer as it comes; it gives back what is no call, as soon as it is sure.

    Any division of the same text gives the same. What comes behind a whole call is dropped: the model waits there.
    """

    def __init__(self) -> None:
        self._held = ""
        self._call: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether a call was written to its end."""
        return self._call is not None and CALL_CLOSING in self._call

    @property
    def has_begun(self) -> bool:
        """Whether a call began."""
        return self._call is not None

    def feed(self, text: str) -> str:
        """Take the next piece; what of it may be shown now."""
        if self.is_complete:
            return ""
        if self._call is not None:
            return self._read_call(text)
        self._held += text
        before, opening, rest = self._held.partition(CALL_OPENING)
        if opening:
            # Line breaks right before a call belong to it.
            shown = before.rstrip("\n")
            self._held, self._call = "", before[len(shown) :] + opening
            return shown + self._read_call(rest)
        held = next((n for n in range(len(CALL_OPENING) - 1, 0, -1) if before.endswith(CALL_OPENING[:n])), 0)
        certain = len(before[: len(before) - held].rstrip("\n"))
        self._held = before[certain:]
        return before[:certain]

    def flush(self) -> str:
        """What was held back and is no call, when the text has ended."""
        held, self._held = self._held, ""
        return held

    def take_call(self) -> str:
        """The call with its tags and the line breaks before it, once; empty where there was none."""
        call, self._call = self._call, None
        return call or ""

    def _read_call(self, text: str) -> str:
        """Go on with a call; its text comes out where it turns out to be none of this tool's."""
        call, closing, rest = ((self._call or "") + text).partition(CALL_CLOSING)
        self._call = call + closing
        if closing and read_zoom_call(call) is None:
            self._call = None
            return call + closing + self.feed(rest)
        if not closing and len(call) > _LONGEST_CALL:
            self._call = None
            return call
        return ""
