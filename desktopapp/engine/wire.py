"""Events and commands as JSON: between the processes, and what `--json` prints.

JSON and not pickle, so that a child that went wrong cannot make the window execute anything. In ASCII, since a
file's name that is no UTF-8 comes as a string that only JSON's escapes can carry (PEP 383).
An object has its class's name in snake case in `event` (or `command`), then the class's fields.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from desktopapp.engine import commands, events, media_events, memory_events, reasoning_events
from desktopapp.engine.commands import Command
from desktopapp.engine.events import Event

T = TypeVar("T")


class WireError(ValueError):
    """The bytes are no event or command."""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


_EVENTS: dict[str, type[Event]] = {_snake(c.__name__): c for c in Event.__subclasses__()}
_COMMANDS: dict[str, type[Command]] = {_snake(c.__name__): c for c in Command.__subclasses__()}


def event_name(event: Event) -> str:
    """The value of an event's `event` field."""
    return _snake(type(event).__name__)


def event_to_dict(event: Event) -> dict[str, Any]:
    """An event as plain JSON types, `event` first."""
    return {"event": event_name(event), **msgspec.to_builtins(event)}


def encode_event(event: Event) -> bytes:
    """One JSON object, without a line end."""
    return _encode(event_to_dict(event))


def decode_event(data: bytes) -> Event:
    """The event that `encode_event` wrote.

    Raises:
        WireError: the bytes are no event.
    """
    return _decode(data, "event", _EVENTS)


def encode_command(command: Command) -> bytes:
    """One JSON object, without a line end."""
    return _encode({"command": _snake(type(command).__name__), **msgspec.to_builtins(command)})


def decode_command(data: bytes) -> Command:
    """The command that `encode_command` wrote.

    Raises:
        WireError: the bytes are no command.
    """
    return _decode(data, "command", _COMMANDS)


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _decode(data: bytes, tag: str, classes: dict[str, type[T]]) -> T:
    try:
        fields = msgspec.convert(json.loads(data), type=dict[str, Any])
        return msgspec.convert(fields, type=classes[fields.pop(tag)])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise WireError(f"not an {tag}: {error}") from error


__all__ = [
    "WireError",
    "commands",
    "decode_command",
    "decode_event",
    "encode_command",
    "encode_event",
    "event_name",
    "event_to_dict",
    "events",
    "media_events",
    "memory_events",
    "reasoning_events",
]
