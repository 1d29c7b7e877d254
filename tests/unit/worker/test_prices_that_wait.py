"""Prices that were asked for when the engine died: asked again where the request goes on, else told as failed."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from desktopapp.engine.commands import Generate, PriceAttachments
from desktopapp.engine.events import Event, RequestStarted
from desktopapp.engine.price_events import Priced
from desktopapp.engine.request import Attachment, ModelChoice, Request, Role, Turn
from desktopapp.engine.wire import decode_command, encode_event
from desktopapp.worker.engine_process import EngineProcess
from desktopapp.worker.watchdog import HangLimits, Watchdog
from tests.unit.worker.test_ladder_steps import PLANNED

ABORTED = -6


class Child:
    """An engine that said something and ended, or that runs and is told something."""

    def __init__(self, folder: Path, *said: bytes, exit_code: int | None = None) -> None:
        self.said, self.told = list(said), list[bytes]()
        self.alive, self.garbled = exit_code is None, False
        self.log_path = folder / "engine.log"
        self.process = SimpleNamespace(pid=1, exitcode=exit_code)

    def receive(self) -> list[bytes]:
        said, self.said = self.said, []
        return said

    def send(self, data: bytes) -> None:
        self.told.append(data)

    def end(self, grace_s: float = 0.0) -> None:
        self.alive = False


@pytest.mark.parametrize(
    ("said", "goes_on"), [(PLANNED, True), (RequestStarted("r"), False), (None, True)], ids=str
)
def test_they_are_asked_again_where_the_request_that_the_engine_died_of_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Event | None, goes_on: bool
) -> None:
    engine, asked = EngineProcess(log_dir=tmp_path), PriceAttachments((Attachment("a.png"),))
    next_child = Child(tmp_path)

    def start() -> list[object]:
        monkeypatch.setattr(engine, "_child", next_child)
        return []

    monkeypatch.setattr(engine, "_start", start)
    monkeypatch.setattr(engine, "_child", Child(tmp_path))
    monkeypatch.setattr(engine, "_watchdog", Watchdog(HangLimits(), time.monotonic()))
    engine.submit(Request("r", ModelChoice("m"), (Turn(Role.USER, "Hi"),)))
    engine.price(asked.attachments)
    engine.poll(0.0)
    heard = [encode_event(said)] if said is not None else []
    monkeypatch.setattr(engine, "_child", Child(tmp_path, *heard, exit_code=ABORTED))
    events = engine.poll(0.0)
    commands = [decode_command(data) for data in next_child.told]
    prices = [event for event in events if isinstance(event, Priced)]
    assert isinstance(commands[0], Generate) if goes_on else commands == []
    if said is PLANNED:
        assert commands[1:] == [asked]
        assert prices == []
    else:
        assert commands[1:] == [], "perhaps it died of the files"
        (told,) = prices
        assert [price.failed is not None for price in told.prices] == [True]
    monkeypatch.setattr(engine, "_child", None)
    engine.close()
