from __future__ import annotations

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.commands import Cancel, Command, Generate, LoadModel, PriceAttachments
from desktopapp.engine.events import Channel, Event, Finished, FinishReason, ModelLoading, Stats, TextAdded
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.engine.wire import (
    WireError,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
    event_to_dict,
)

# Surrogates too: a file name that is no UTF-8 holds them.
anything = st.text(st.characters(exclude_categories=()))
choice = ModelChoice("m", BackendChoice.LLAMA_CPP, context_tokens=512)


@given(anything)
def test_every_string_crosses(text: str) -> None:
    turns = (Turn(Role.USER, text, (Attachment(text),)), Turn(Role.ASSISTANT, "x"))
    request = Request(text, choice, turns, text, SamplingOverrides(temperature=0.5, seed=3), 7)
    commands: tuple[Command, ...] = (
        Generate(request),
        LoadModel(choice),
        PriceAttachments(
            (Attachment(text, MediaSelection(2, 5, 90, text, True, 1.5, 2.5, 1.0, 7, True, True)),)
        ),
        Cancel(text),
    )
    for command in commands:
        assert decode_command(encode_command(command)) == command
    stats = Stats("b", text, "m", "instruct", 1, 2, 3, None, 4.5, 6)
    events: tuple[Event, ...] = (
        TextAdded("r", Channel.THOUGHT, text),
        Finished("r", text, "", FinishReason.STOP, stats),
        ModelLoading("m", "b", "weights", 0.5),
    )
    for event in events:
        assert decode_event(encode_event(event)) == event


@given(st.binary() | anything.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_what_is_no_event_is_an_error_of_its_own(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_event(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"1" * 5000,
        b"[" * 100_000,
        b'{"event": 1}',
        b'{"event": ["x"]}',
        b'{"event": "heartbeat"}',
        b'{"event": "text_added", "request_id": "r", "channel": "shout", "text": ""}',
    ],
)
def test_hostile_messages_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_event(data)


def test_what_a_script_reads_has_the_fields_of_the_class() -> None:
    event = TextAdded("r", Channel.ANSWER, "x")
    written = event_to_dict(event)
    assert next(iter(written.items())) == ("event", "text_added")
    assert set(written) == {"event", *(field.name for field in fields(event))}


def test_a_figure_that_is_no_number_does_not_break_the_pipe() -> None:
    event = decode_event(encode_event(ModelLoading("m", "b", "weights", math.nan)))
    assert isinstance(event, ModelLoading)
    assert math.isnan(event.fraction or 0.0)
