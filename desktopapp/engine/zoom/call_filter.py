"""Keeps the call of a tool out of a streamed answer."""

from __future__ import annotations

from desktopapp.engine.zoom.call import CALL_CLOSING, CALL_OPENING


class CallFilter:
    """Give it an answer as it comes; it gives back what is no call, as soon as it is sure.

    Any division of the same text gives the same. What comes behind a call is dropped: the model waits there.
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
        if self._call is not None:
            self._call += text
            return ""
        self._held += text
        before, opening, call = self._held.partition(CALL_OPENING)
        if opening:
            self._held, self._call = "", call
            return before.rstrip("\n")
        held = next((n for n in range(len(CALL_OPENING) - 1, 0, -1) if before.endswith(CALL_OPENING[:n])), 0)
        # Line breaks right before a call belong to it.
        certain = len(before[: len(before) - held].rstrip("\n"))
        self._held = before[certain:]
        return before[:certain]

    def flush(self) -> str:
        """What was held back and is no call, when the text has ended."""
        held, self._held = self._held, ""
        return held

    def take_call(self) -> str:
        """The call without its tags, once; empty where there was none."""
        call, self._call = self._call, None
        return (call or "").partition(CALL_CLOSING)[0]
