"""Unloading gives everything back: in the same process without a GPU, else by a new one, since CUDA keeps its part."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from desktopapp.engine.backends.registry import BackendFactory
from desktopapp.engine.events import Finished, ModelReady, ModelUnloaded
from desktopapp.engine.price_events import Priced
from desktopapp.engine.request import Attachment
from desktopapp.worker.process_events import EngineStarted, EngineStopped
from tests.engine_client import FAKE, EngineClient, question
from tests.faulty_backends import fast, on_gpu


def counted(client: EngineClient, kind: type[object]) -> int:
    return sum(isinstance(event, kind) for event in client.events)


@pytest.mark.parametrize(("backends", "starts"), [(fast, 1), (on_gpu, 2)])
def test_a_process_that_had_a_model_on_a_gpu_is_exchanged(
    tmp_path: Path, backends: BackendFactory, starts: int
) -> None:
    with EngineClient(backends, tmp_path) as client:
        assert isinstance(client.ask(question("first")), Finished)
        before = psutil.Process(client.process.process_id)
        client.process.unload()
        client.wait_for(ModelUnloaded)
        assert isinstance(client.ask(question("second")), Finished)
        assert counted(client, EngineStarted) == starts
        assert counted(client, EngineStopped) == 0, "nobody is told of an accident"
        assert before.is_running() is (starts == 1)
        assert counted(client, ModelReady) == 2


def test_it_stays_where_another_question_waits_already(tmp_path: Path) -> None:
    with EngineClient(on_gpu, tmp_path) as client:
        client.process.load(FAKE)
        client.wait_for(ModelReady)
        client.process.unload()
        client.process.submit(question("waits"))
        assert isinstance(client.wait_for_end("waits"), Finished)
        assert (counted(client, ModelUnloaded), counted(client, EngineStarted)) == (1, 1)


def test_unloading_a_second_time_exchanges_nothing(tmp_path: Path) -> None:
    with EngineClient(on_gpu, tmp_path) as client:
        assert isinstance(client.ask(question("first")), Finished)
        for _ in range(3):
            place = len(client.events)
            client.process.unload()
            client.wait_for(ModelUnloaded, place)
        client.process.price((Attachment(str(tmp_path / "gone.png")),))
        client.wait_for(Priced)
        assert counted(client, EngineStarted) == 2
