"""Everything that can go wrong inside the real child process, and what the person gets of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from desktopapp.engine.events import Failed, Finished, Heartbeat, ModelLoading, RequestStarted, TextAdded
from desktopapp.engine.price_events import AttachmentPrice, Priced
from desktopapp.engine.request import Attachment
from desktopapp.worker.engine_process import EngineProcess
from desktopapp.worker.process_events import EngineStarted, EngineStopped
from desktopapp.worker.watchdog import HangLimits
from tests.engine_client import FAKE, EngineClient, question
from tests.faulty_backends import fast, faulty, slow

POINTS = ("load", "prefill", "decode")
DOING = {"load": "loading the model", "prefill": "preparing the request", "decode": "writing the answer"}
# Long enough for a busy machine, short enough for a test; the real limits are tested in test_watchdog.
IMPATIENT = HangLimits(silence_s=6.0, stop_silence_s=2.0, step_s=7.0, load_s=8.0)


def assert_next_request_works(client: EngineClient, after_fault: Failed | Finished, point: str) -> None:
    """The person keeps what was streamed, sends again, and is answered by a new child."""
    assert isinstance(after_fault, Failed)
    assert after_fault.remedy
    if point == "decode":
        assert "".join(e.text for e in client.events if isinstance(e, TextAdded))
    assert isinstance(client.ask(question("again")), Finished)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("fault", "sign"), [("abort", "SIGABRT"), ("segfault", "SIGSEGV"), ("exit", "exit code 7")]
)
def test_a_child_that_ends_by_itself(tmp_path: Path, fault: str, sign: str, point: str) -> None:
    with EngineClient(partial(faulty, fault, point, str(tmp_path / "once")), tmp_path) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error == "EngineDied"
        assert sign in end.message
        assert DOING[point] in end.message
        stopped = client.wait_for(EngineStopped)
        assert stopped.starts_again
        assert sign in stopped.detail
        assert_next_request_works(client, end, point)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("point", POINTS)
def test_a_child_that_is_killed(tmp_path: Path, point: str) -> None:
    waits_for = {"load": ModelLoading, "prefill": RequestStarted, "decode": TextAdded}[point]
    with EngineClient(partial(faulty, "wait", point, str(tmp_path / "once")), tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(waits_for)
        while not (tmp_path / "once").exists():
            client.listen(0.05)
        os.kill(child_of(client), signal.SIGKILL)
        end = client.wait_for_end("r")
        assert isinstance(end, Failed)
        assert end.error == "EngineDied"
        assert "killed by the system" in end.message
        assert_next_request_works(client, end, point)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("fault", ["wait", "hold_gil"])
def test_a_hang_is_noticed_and_ended(tmp_path: Path, fault: str, point: str) -> None:
    make_backends = partial(faulty, fault, point, str(tmp_path / "once"))
    with EngineClient(make_backends, tmp_path, IMPATIENT) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error == "EngineHung"
        assert DOING[point] in end.message
        if hasattr(faulthandler, "register"):
            assert "faulty_backends.py" in end.details, "the report says where it hung"
        assert_next_request_works(client, end, point)


@pytest.mark.parametrize("point", POINTS)
def test_stop_ends_a_child_that_no_longer_listens(tmp_path: Path, point: str) -> None:
    """Two seconds after Stop, though it may be silent for a minute, in a load and elsewhere."""
    make_backends = partial(faulty, "hold_gil", point, str(tmp_path / "once"))
    limits = HangLimits(silence_s=60.0, step_s=60.0)
    assert (limits.stop_silence_s, limits.load_s) == (2.0, 60.0)
    with EngineClient(make_backends, tmp_path, limits) as client:
        client.process.submit(question("r"))
        while not (tmp_path / "once").exists():
            client.listen(0.05)
        client.process.cancel("r")
        began_s = time.monotonic()
        end = client.wait_for_end("r")
        # And what a busy machine takes for the rest.
        assert time.monotonic() - began_s < 30.0
        assert isinstance(end, Failed)
        assert end.error == "EngineHung"
        assert_next_request_works(client, end, point)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("fault", ["garbage", "wrong_json"])
def test_garbage_on_the_pipe(tmp_path: Path, fault: str, point: str) -> None:
    with EngineClient(partial(faulty, fault, point, str(tmp_path / "once")), tmp_path) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error == "EngineGarbled"
        assert_next_request_works(client, end, point)


def test_half_a_message_and_then_nothing_does_not_stop_the_reader(tmp_path: Path) -> None:
    make_backends = partial(faulty, "half_message", "decode", str(tmp_path / "once"))
    with EngineClient(make_backends, tmp_path, IMPATIENT) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error in ("EngineHung", "EngineGarbled")
        assert_next_request_works(client, end, "decode")


@pytest.mark.parametrize("point", POINTS)
def test_a_window_that_was_busy_still_reads_why_the_child_died(tmp_path: Path, point: str) -> None:
    with EngineClient(partial(faulty, "out_of_memory", point, str(tmp_path / "once")), tmp_path) as client:
        client.process.submit(question("r"))
        client.process.poll(0.0)  # starts the child, then hears nothing of it until it is dead
        child = psutil.Process(client.process.process_id)
        deadline_s = time.monotonic() + 60.0
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline_s:
            time.sleep(0.02)
        end = client.wait_for_end("r")
        assert isinstance(end, Failed)
        assert end.error == "OutOfMemory"
        assert "cudaMalloc failed" in end.details


@pytest.mark.parametrize("point", POINTS)
def test_memory_that_ran_out_is_read_from_the_output(tmp_path: Path, point: str) -> None:
    make_backends = partial(faulty, "out_of_memory", point, str(tmp_path / "once"))
    with EngineClient(make_backends, tmp_path) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error == "OutOfMemory"
        assert DOING[point] in end.message
        assert "cudaMalloc failed" in end.details
        assert_next_request_works(client, end, point)


@pytest.mark.parametrize("point", POINTS)
def test_a_defect_is_reported_with_its_place_and_the_child_lives(tmp_path: Path, point: str) -> None:
    with EngineClient(partial(faulty, "raise", point, str(tmp_path / "once")), tmp_path) as client:
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert end.error == "UnexpectedError"
        assert "ZeroDivisionError: a defect for the test" in end.message
        assert "faulty_backends.py" in end.details
        assert_next_request_works(client, end, point)
        assert not [e for e in client.events if isinstance(e, EngineStopped)]


def test_a_load_that_kills_the_child_is_told_to_who_asked(tmp_path: Path) -> None:
    with EngineClient(partial(faulty, "abort", "load", str(tmp_path / "once")), tmp_path) as client:
        client.process.load(FAKE)
        failed = client.wait_for(Failed)
        assert (failed.request_id, failed.error) == ("", "EngineDied")
        assert isinstance(client.ask(question("again")), Finished)


def test_a_child_that_always_dies_is_not_started_for_ever(tmp_path: Path) -> None:
    with EngineClient(partial(faulty, "abort", "load"), tmp_path) as client:
        assert isinstance(client.ask(question("first")), Failed)
        assert client.wait_for(EngineStopped).starts_again
        client.listen(1.0)
        assert starts(client) == 2
        assert isinstance(client.ask(question("second")), Failed)
        client.listen(2.0)
        assert starts(client) == 2
        assert [e.starts_again for e in client.events if isinstance(e, EngineStopped)] == [True, False]
        assert client.process.process_id is None
        assert isinstance(client.ask(question("third")), Failed)
        client.listen(1.0)
        assert starts(client) == 3
        assert client.process.process_id is None


def broken_factory() -> dict[object, object]:
    raise RuntimeError("no backends today")


def test_a_child_that_cannot_even_start_says_why(tmp_path: Path) -> None:
    with EngineClient(broken_factory, tmp_path) as client:  # type: ignore[arg-type]
        end = client.ask(question("r"))
        assert isinstance(end, Failed)
        assert (end.error, "while starting" in end.message) == ("EngineDied", True)
        assert "RuntimeError: no backends today" in end.message
        client.listen(3.0)
        assert starts(client) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_child_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    with EngineClient(fast, tmp_path) as client:
        assert isinstance(client.ask(question("r")), Finished)
        os.kill(child_of(client), signal.SIGKILL)
        assert client.wait_for(EngineStopped).starts_again
        assert not [e for e in client.events if isinstance(e, Failed)]
        assert isinstance(client.ask(question("again")), Finished)
        assert starts(client) == 2


def test_a_price_that_the_child_dies_over_is_answered(tmp_path: Path) -> None:
    with EngineClient(partial(faulty, "wait", "load"), tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(ModelLoading)
        psutil.Process(child_of(client)).suspend()
        client.process.price((Attachment("/a.png"),))
        client.listen(0.2)
        psutil.Process(child_of(client)).kill()
        (price,) = client.wait_for(Priced).prices
        assert isinstance(price, AttachmentPrice)
        assert price.failed is not None
        assert price.failed.error == "EngineDied"


def test_heartbeats_stay_inside(tmp_path: Path) -> None:
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(TextAdded)
        assert not [e for e in client.events if isinstance(e, Heartbeat)]


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a child that holds the GIL outlives its parent"
)
@pytest.mark.parametrize("fault", ["wait", "hold_gil"])
def test_no_orphan_when_the_window_is_killed(tmp_path: Path, fault: str) -> None:
    marker = tmp_path / "once"
    program = f"""
        from functools import partial
        from pathlib import Path
        from desktopapp.worker.engine_process import EngineProcess
        from tests.engine_client import question
        from tests.faulty_backends import faulty
        if __name__ == "__main__":
            process = EngineProcess(partial(faulty, {fault!r}, "decode", {str(marker)!r}), log_dir=Path({str(tmp_path)!r}))
            process.submit(question("r"))
            while True:
                process.poll(1.0)
                print(process.process_id, flush=True)
    """
    script = tmp_path / "window.py"
    script.write_text(textwrap.dedent(program))
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as window:
        assert window.stdout is not None
        child = psutil.Process(int(window.stdout.readline()))
        deadline_s = time.monotonic() + 60.0
        while not marker.exists() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert child.is_running()
        window.kill()
    assert psutil.wait_procs([child], timeout=60.0)[0] == [child]


def child_of(client: EngineClient) -> int:
    child = client.process.process_id
    assert child is not None
    return child


def starts(client: EngineClient) -> int:
    return len([e for e in client.events if isinstance(e, EngineStarted)])


def test_no_log_dir_is_a_failure_like_others(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = EngineProcess(fast, log_dir=tmp_path / "file" / "logs")
    process.submit(question("r"))
    events = process.poll(5.0)
    process.close()
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.error == "LogFolderUnwritable"
    assert str(tmp_path / "file" / "logs") in failed.message
