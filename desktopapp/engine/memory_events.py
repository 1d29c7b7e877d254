"""What is said when memory ran out and less is tried; see `events.py`, which has all the others."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.events import Event
from desktopapp.engine.price_events import Planned

IDLE_MODEL = "idle_model"
"""The other model of the pair gave way; nothing of the plan was given up."""

SMALLER_CACHE = "smaller_cache"
"""llama.cpp's KV cache, which is made ahead, has less room; nothing else of the plan was given up."""


@dataclass(frozen=True, slots=True)
class Retrying(Event):
    """Memory ran out, or would have; the same request goes on in another way, from what was streamed of it.

    Args:
        request_id: the request; empty for a load ahead of the first question.
        tries: how often memory ran out in it so far.
        what: was being done, as `reading a picture`.
        step: name of the `memory.steps.Step` that is taken now, `IDLE_MODEL` or `SMALLER_CACHE`.
        reason: that step in one sentence, in English.
        planned: how it runs now.
    """

    request_id: str
    tries: int
    what: str
    step: str
    reason: str
    planned: Planned
