"""The process that fetches models, as the window's thread sees its end."""

import time
from multiprocessing.connection import Connection

import pytest
from pytestqt.qtbot import QtBot

from desktopapp.modelstore.hub.address import Address
from desktopapp.worker import hub_worker
from desktopapp.worker.hub_child import HubFailed, HubTask, Look, decode
from desktopapp.worker.hub_worker import HubWorker


def say_nonsense_and_stay(events: Connection, _task: HubTask) -> None:
    events.send_bytes(b"nonsense")
    time.sleep(3600)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"nonsense", "malformed"),
        (b'{"event":["Looked"],"values":{}}', "Expected `str`"),
        (b'{"event":"\xff","values":{}}', "utf-8"),
        (b'{"event":"Slept","values":{}}', "unknown event"),
    ],
)
def test_what_is_no_message_is_a_value_error(message: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(message)


@pytest.mark.timeout(120)
def test_a_process_that_says_nonsense_is_ended(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_worker, "serve_hub", say_nonsense_and_stay)
    worker = HubWorker()
    failures: list[HubFailed] = []
    worker.failed.connect(failures.append)
    worker.start(Look(Address("owner/name")))
    qtbot.waitUntil(lambda: bool(failures))
    assert [failed.error for failed in failures] == ["DownloadEnded"]
    assert not worker.is_busy
