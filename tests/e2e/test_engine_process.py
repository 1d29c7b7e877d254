"""The real child process with the fake backend: answers, Stop, prices, its start and its end."""

from __future__ import annotations

import base64
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.backends.registry import Backends
from desktopapp.engine.events import (
    AttachmentRead,
    CancelAcknowledged,
    Channel,
    Failed,
    Finished,
    FinishReason,
    LoadStopped,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    PreviewRead,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.price_events import MemorySample, Priced
from desktopapp.engine.request import Attachment, BackendChoice, Mode, ModelChoice
from desktopapp.worker.process_events import EngineStarted
from tests.clips import number_of, write_clip
from tests.documents import write_document
from tests.engine_client import FAKE, EngineClient, question
from tests.faulty_backends import fast, slow


def test_an_answer_streams_and_equals_its_end(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (320, 200), "red").save(picture)
    with EngineClient(fast, tmp_path) as client:
        end = client.ask(question("r", attach=(str(picture),), mode=Mode.THINKING))
        assert isinstance(end, Finished)
        streamed = [e for e in client.events if isinstance(e, TextAdded)]
        for channel, whole in ((Channel.ANSWER, end.text), (Channel.THOUGHT, end.thought)):
            assert "".join(e.text for e in streamed if e.channel is channel) == whole != ""
        assert "320 × 200" in end.text
        assert end.finish_reason is FinishReason.STOP
        assert (end.stats.backend, end.stats.mode) == ("fake", "thinking")
        assert client.wait_for(AttachmentRead).width == 320
        order = [type(e) for e in client.events if not isinstance(e, MemorySample)]
        assert order.index(EngineStarted) < order.index(RequestStarted) < order.index(ModelLoading)
        assert order.index(ModelReady) < order.index(PrefillProgress) < order.index(TextAdded)


def test_one_child_answers_one_request_after_the_other(tmp_path: Path) -> None:
    with EngineClient(fast, tmp_path) as client:
        client.process.submit(question("first"))
        client.process.submit(question("second"))
        assert isinstance(client.wait_for_end("first"), Finished)
        assert isinstance(client.wait_for_end("second"), Finished)
        assert len([e for e in client.events if isinstance(e, ModelReady)]) == 1
        assert len([e for e in client.events if isinstance(e, EngineStarted)]) == 1


def test_stop_while_loading(tmp_path: Path) -> None:
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(ModelLoading)
        assert_stops(client, "r")


def test_stop_while_the_prompt_is_read(tmp_path: Path) -> None:
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r", text="long " * 4000))
        client.wait_for(PrefillProgress)
        assert_stops(client, "r")


def test_stop_while_the_answer_is_written_keeps_what_was_said(tmp_path: Path) -> None:
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(TextAdded)
        end = assert_stops(client, "r")
        assert end.text == "".join(e.text for e in client.events if isinstance(e, TextAdded))
        assert end.text
        assert end.stats.new_tokens > 0


def test_stop_before_a_request_begins_and_after_it_ended(tmp_path: Path) -> None:
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("running"))
        client.process.submit(question("waiting"))
        client.wait_for(TextAdded)
        client.process.cancel("waiting")
        client.process.cancel("running")
        for request_id in ("running", "waiting"):
            end = client.wait_for_end(request_id)
            assert isinstance(end, Finished)
            assert end.finish_reason is FinishReason.CANCELLED
        place = len(client.events)
        client.process.cancel("running")
        client.process.cancel("never heard of")
        client.wait_for(CancelAcknowledged, place)
        assert isinstance(client.ask(question("next", max_new_tokens=3)), Finished)


def assert_stops(client: EngineClient, request_id: str) -> Finished:
    client.process.cancel(request_id)
    client.wait_for(CancelAcknowledged)
    end = client.wait_for_end(request_id)
    assert isinstance(end, Finished)
    assert end.finish_reason is FinishReason.CANCELLED
    return end


def test_prices_come_while_a_request_runs(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (640, 480), "blue").save(picture)
    gone = str(tmp_path / "gone.png")
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(TextAdded)
        client.process.price((Attachment(str(picture)), Attachment(gone)))
        good, bad = client.wait_for(Priced).prices
        assert (good.width, good.height, good.failed) == (640, 480, None)
        assert good.tokens == 300
        assert bad.failed is not None
        assert (bad.failed.error, bad.failed.attachment) == ("AttachmentGone", gone)
        assert not [e for e in client.events if isinstance(e, Finished | Failed)]


def test_previews_come_while_a_request_runs_and_bad_files_have_none(tmp_path: Path) -> None:
    pages = write_document(tmp_path / "a.pdf", ["first", "second"])
    clip = write_clip(tmp_path / "a.mkv", 60)
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7 nothing")
    with EngineClient(slow, tmp_path) as client:
        client.process.submit(question("r"))
        client.wait_for(TextAdded)
        client.process.read_previews(Attachment(str(bad)), (0.0,), 100)
        client.process.read_previews(Attachment(str(pages)), (0.0, 2.0, 9.0), 100)
        client.process.read_previews(Attachment(str(clip)), (1.0,), 80)
        while len(read := [event for event in client.events if isinstance(event, PreviewRead)]) < 3:
            client.listen(0.2)
        assert [(Path(one.path).name, one.position) for one in read] == [
            ("a.pdf", 0.0),
            ("a.pdf", 2.0),
            ("a.mkv", 1.0),
        ]
        assert [(one.width, one.height) for one in read] == [(71, 100), (71, 100), (80, 32)]
        assert read[0].rgb != read[1].rgb
        pixels = np.frombuffer(base64.b64decode(read[2].rgb), np.uint8).reshape(32, 80, 3)
        assert number_of(pixels) == 30


def test_memory_is_sampled_by_itself(tmp_path: Path) -> None:
    with EngineClient(fast, tmp_path) as client:
        client.process.start()
        first = client.wait_for(MemorySample)
        client.wait_for(MemorySample, client.events.index(first) + 1)
        assert 0 < first.used_bytes < first.total_bytes


def slow_reader() -> Backends:
    """Two seconds for a chunk of a prompt."""
    return {BackendChoice.FAKE: lambda: FakeBackend(None, 256.0)}


def test_memory_is_sampled_while_a_prompt_is_read(tmp_path: Path) -> None:
    with EngineClient(slow_reader, tmp_path) as client:
        client.process.submit(question("r", "long " * 700))
        client.wait_for(TextAdded)
        places = [place for place, event in enumerate(client.events) if isinstance(event, PrefillProgress)]
        assert len(places) >= 3
        within_chunks = [
            sum(isinstance(event, MemorySample) for event in client.events[begin:end])
            for begin, end in pairwise(places)
        ]
        # Some ten are due in a chunk: more than one show that they come by themselves, also on a busy machine.
        assert max(within_chunks) > 1


def test_a_load_makes_way_for_another(tmp_path: Path) -> None:
    thinking = ModelChoice("fake-thinking", BackendChoice.FAKE)
    with EngineClient(slow, tmp_path) as client:
        client.process.load(FAKE)
        client.wait_for(ModelLoading)
        client.process.load(thinking)
        assert client.wait_for(LoadStopped).model == "fake"
        assert client.wait_for(ModelReady).model == "fake-thinking"


def test_one_bad_attachment_is_named_and_the_next_request_works(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (64, 64)).save(good)
    bad.write_bytes(good.read_bytes()[:60])
    with EngineClient(fast, tmp_path) as client:
        end = client.ask(question("r", attach=(str(good), str(bad))))
        assert isinstance(end, Failed)
        assert end.attachment == str(bad)
        assert "bad.png" in end.message
        assert isinstance(client.ask(question("r2", attach=(str(good),))), Finished)


def test_closing_ends_the_child_soon(tmp_path: Path) -> None:
    client = EngineClient(slow, tmp_path)
    client.process.submit(question("r"))
    client.wait_for(TextAdded)
    child = client.process.process_id
    began_s = time.monotonic()
    client.process.close()
    # The answer would go on for minutes.
    assert time.monotonic() - began_s < 30
    assert child is not None
    assert not psutil.pid_exists(child)


def test_the_child_imports_no_inference_library_before_a_load(tmp_path: Path) -> None:
    with EngineClient(fast, tmp_path) as client:
        client.process.start()
        client.wait_for(MemorySample)
        mapped = {Path(m.path).name for m in psutil.Process(client.process.process_id).memory_maps()}
        assert not [name for name in mapped if name.startswith(("libtorch", "libllama", "libQt"))]
