"""Events and commands as JSON: between the processes, and what `--json` prints.

JSON and not pickle, so that a child that went wrong cannot make the window execute anything.
An object has its class's name in snake case in `event` (or `command`), then the class's fields.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from desktopapp.engine import commands, events
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
    return msgspec.json.encode(event_to_dict(event))


def decode_event(data: bytes) -> Event:
    """The event that `encode_event` wrote.

    Raises:
        WireError: the bytes are no event.
    """
    return _decode(data, "event", _EVENTS)


def encode_command(command: Command) -> bytes:
    """One JSON object, without a line end."""
    return msgspec.json.encode({"command": _snake(type(command).__name__), **msgspec.to_builtins(command)})


def decode_command(data: bytes) -> Command:
    """The command that `encode_command` wrote.

    Raises:
        WireError: the bytes are no command.
    """
    return _decode(data, "command", _COMMANDS)


def _decode(data: bytes, tag: str, classes: dict[str, type[T]]) -> T:
    try:
        fields = msgspec.json.decode(data, type=dict[str, Any])
        return msgspec.convert(fields, type=classes[fields.pop(tag)])
    except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError) as error:
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
]
