"""Whether a question needs its pictures sharp."""

from __future__ import annotations

from desktopapp.engine.request import Request
from desktopapp.engine.routing.features import media_kind
from desktopapp.engine.routing.router import Task, route

_SEEN_AT_A_GLANCE = frozenset({Task.DESCRIPTION, Task.CHAT, Task.LOOKING, Task.WRITING, Task.FACT})


def needs_detail(request: Request) -> bool:
    """Whether the last question reads or points, or may; then pictures should keep 1,024 tokens."""
    last = request.turns[-1]
    kinds = [media_kind(attachment.path) for attachment in last.attachments]
    return route(last.text, kinds).task not in _SEEN_AT_A_GLANCE
