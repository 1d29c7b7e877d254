"""A question that is sent while a killed engine process is dying: the next one answers it, by itself and once.

A process that is suspended takes nothing up, so that what is sent to it and not heard is certain when it is killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from desktopapp.engine.events import Failed, Finished, FinishReason, ModelReady, RequestStarted, TextAdded
from desktopapp.worker.process_events import EngineStarted, EngineStopped, HandedOn
from tests.engine_client import FAKE, EngineClient, question
from tests.faulty_backends import fast, faulty, gated


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    with EngineClient(fast, tmp_path) as made:
        assert isinstance(made.ask(question("before")), Finished)
        yield made


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """While it is open, the processes of `gated_client` take up what they are sent."""
    return tmp_path / "gate"


@pytest.fixture
def gated_client(tmp_path: Path, gate: Path) -> Iterator[EngineClient]:
    with EngineClient(partial(gated, str(gate)), tmp_path) as made:
        assert isinstance(made.ask(question("before", max_new_tokens=2)), Finished)
        yield made


def send_to_the_dying(client: EngineClient, *request_ids: str, stopped: str = "") -> None:
    """Give requests to a process that is killed before it hears of them."""
    child = psutil.Process(client.process.process_id)
    child.suspend()
    for request_id in request_ids:
        client.process.submit(question(request_id, max_new_tokens=20))
    if stopped:
        client.process.cancel(stopped)
    client.events += client.process.poll(0.0)
    assert client.process.process_id == child.pid, "it was not noticed yet"
    child.kill()


def seen(client: EngineClient, kind: type) -> list[str]:
    """Of which requests there were such events."""
    return [event.request_id for event in client.events if isinstance(event, kind)]


def starts(client: EngineClient) -> int:
    return len([event for event in client.events if isinstance(event, EngineStarted)])


def test_a_question_to_a_dying_engine_is_answered_by_the_next_one(client: EngineClient) -> None:
    send_to_the_dying(client, "r")
    end = client.wait_for_end("r")
    assert isinstance(end, Finished), end
    streamed = [e.text for e in client.events if isinstance(e, TextAdded) and e.request_id == "r"]
    assert "".join(streamed) == end.text != ""
    (handed_on,) = [event for event in client.events if isinstance(event, HandedOn)]
    assert handed_on.request_id == "r"
    assert handed_on.detail == client.wait_for(EngineStopped).detail
    assert Counter(seen(client, RequestStarted)) == {"before": 1, "r": 1}
    assert starts(client) == 2


def test_several_that_wait_are_answered_in_order(client: EngineClient) -> None:
    send_to_the_dying(client, "a", "b", "c")
    for request_id in ("a", "b", "c"):
        assert isinstance(client.wait_for_end(request_id), Finished)
    assert seen(client, HandedOn) == ["a", "b", "c"]
    assert seen(client, RequestStarted) == seen(client, Finished) == ["before", "a", "b", "c"]
    assert starts(client) == 2


def test_a_load_goes_to_the_next_engine(client: EngineClient) -> None:
    child = psutil.Process(client.process.process_id)
    child.suspend()
    client.process.load(FAKE)
    client.events += client.process.poll(0.0)
    child.kill()
    client.wait_for(ModelReady, client.events.index(client.wait_for(EngineStopped)))
    assert seen(client, Failed) == []


def test_what_was_stopped_meanwhile_ends_as_stopped_and_is_not_sent_again(client: EngineClient) -> None:
    send_to_the_dying(client, "r", "s", stopped="r")
    end = client.wait_for_end("r")
    assert isinstance(end, Finished)
    assert (end.finish_reason, end.text) == (FinishReason.CANCELLED, "")
    assert isinstance(client.wait_for_end("s"), Finished)
    assert seen(client, HandedOn) == ["s"]
    assert seen(client, RequestStarted) == ["before", "s"]


def test_stop_reaches_a_question_on_its_way_to_the_next_engine(
    gated_client: EngineClient, gate: Path
) -> None:
    gate.touch()
    send_to_the_dying(gated_client, "r")
    gated_client.wait_for(HandedOn)
    gated_client.process.cancel("r")
    gated_client.events += gated_client.process.poll(0.0)
    gate.unlink()
    end = gated_client.wait_for_end("r")
    assert isinstance(end, Finished)
    assert end.finish_reason is FinishReason.CANCELLED
    assert seen(gated_client, Finished) == ["before", "r"]


def test_killed_twice_in_a_row_is_one_error(gated_client: EngineClient, gate: Path) -> None:
    gate.write_text("closed")
    send_to_the_dying(gated_client, "a", "b")
    for request_id in ("a", "b"):
        end = gated_client.wait_for_end(request_id)
        assert isinstance(end, Failed)
        assert end.error == "EngineDied"
        assert "exit code 9" in end.message
        assert end.remedy
    assert seen(gated_client, HandedOn) == ["a", "b"], "each once"
    assert starts(gated_client) == 2
    gate.unlink()
    assert isinstance(gated_client.ask(question("again", max_new_tokens=2)), Finished)
    assert seen(gated_client, HandedOn) == ["a", "b"]


def test_what_the_engine_worked_on_ends_and_what_waited_goes_on(tmp_path: Path) -> None:
    with EngineClient(partial(faulty, "abort", "decode", str(tmp_path / "once")), tmp_path) as client:
        client.process.submit(question("running"))
        client.process.submit(question("waiting"))
        end = client.wait_for_end("running")
        assert isinstance(end, Failed)
        assert end.error == "EngineDied"
        assert isinstance(client.wait_for_end("waiting"), Finished)
        assert seen(client, HandedOn) == ["waiting"]


def test_nobody_is_handed_on_for_ever(tmp_path: Path) -> None:
    with EngineClient(partial(faulty, "abort", "decode"), tmp_path) as client:
        for request_id in ("a", "b", "c"):
            client.process.submit(question(request_id))
        ends = [client.wait_for_end(request_id) for request_id in ("a", "b", "c")]
        assert [end.error for end in ends if isinstance(end, Failed)] == ["EngineDied"] * 3
        assert seen(client, HandedOn) == ["b", "c"]
        assert seen(client, RequestStarted) == ["a", "b"], "c went to two engines that died of others"
