"""Memory that runs out inside the real engine process, with the real backends: the answer comes in the end, or one clear error.

Allocations fail, and libraries abort, at a load, a picture, chunks of the prompt and tokens of the answer. Nothing that
was streamed is lost, and nothing is tried twice in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from desktopapp.engine.events import Failed, Finished, ModelReady, TextAdded
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    Mode,
    ModelChoice,
    Request,
    Role,
    SamplingOverrides,
    Turn,
)
from desktopapp.modelstore.gguf_export import export_gguf
from desktopapp.worker.process_events import EngineStarted
from tests.engine_client import EngineClient
from tests.memory_faults import Fault, failing

ROOT = Path(__file__).resolve().parents[2]
POCKET = ROOT / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"
RECEIPT = ROOT / "resources" / "samples" / "receipt.png"
GREEDY = SamplingOverrides(temperature=0.0, presence_penalty=0.0)

REFUSALS = {
    BackendChoice.TRANSFORMERS: [
        Fault("room"),
        Fault("vision"),
        *(Fault("prefill", number) for number in (1, 2, 3)),
        *(Fault("decode", number) for number in (1, 2, 9, 30)),
    ],
    BackendChoice.LLAMA_CPP: [
        Fault("context"),
        Fault("vision"),
        *(Fault("prefill", number) for number in (1, 2, 3)),
        *(Fault("decode", number) for number in (1, 2, 9, 30)),
    ],
}
ABORTS = {
    BackendChoice.TRANSFORMERS: [Fault("vision", 1, "abort"), Fault("decode", 9, "told_abort")],
    BackendChoice.LLAMA_CPP: [
        Fault("load", 1, "abort"),
        Fault("context", 1, "told_abort"),
        Fault("vision", 1, "abort"),
        Fault("prefill", 1, "told_abort"),
        Fault("prefill", 3, "abort"),
        Fault("decode", 1, "abort"),
        Fault("decode", 9, "told_abort"),
    ],
}
BACKENDS = tuple(REFUSALS)


@pytest.fixture(scope="module")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped weights and their GGUF form."""
    folder = tmp_path_factory.mktemp("models") / POCKET.name
    folder.mkdir()
    for file in POCKET.iterdir():
        if file.suffix != ".gguf":
            (folder / file.name).symlink_to(file)
    export_gguf(POCKET, folder / f"{POCKET.name}-Q8_0.gguf", folder / f"mmproj-{POCKET.name}-F16.gguf")
    return folder


class Bench:
    """One engine process after the other, in which one thing at a time goes wrong."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.trigger = place / "fault"
        self.client = EngineClient(partial(failing, str(self.trigger)), place)
        self._folder = folder
        self._asked = 0

    def request(self, backend: BackendChoice, **changes: object) -> Request:
        self._asked += 1
        turn = Turn(Role.USER, "Read the text.", (Attachment(str(RECEIPT)),))
        choice = ModelChoice(str(self._folder), backend, Mode.INSTRUCT)
        asked = Request(f"r{self._asked}", choice, (turn,), sampling=GREEDY, max_new_tokens=200)
        return replace(asked, **changes)  # type: ignore[arg-type]

    def ask(self, backend: BackendChoice, fault: Fault | None = None) -> Finished | Failed:
        """A question to a model that is loaded anew, what ran out before forgotten."""
        self.client.process.unload()
        if fault is not None:
            fault.arm(self.trigger)
        self._place = len(self.client.events)
        end = self.client.ask(self.request(backend))
        assert not self.trigger.exists() or (fault is not None and fault.always), "it never happened"
        self.trigger.unlink(missing_ok=True)
        return end

    def seen(self, kind: type) -> list[object]:
        """Events of the last question."""
        return [event for event in self.client.events[self._place :] if isinstance(event, kind)]

    @property
    def retries(self) -> list[Retrying]:
        return [event for event in self.seen(Retrying) if isinstance(event, Retrying)]

    @property
    def streamed(self) -> str:
        return "".join(event.text for event in self.seen(TextAdded) if isinstance(event, TextAdded))


@pytest.fixture
def bench(pocket: Path, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(pocket, tmp_path)
    with made.client:
        yield made


def assert_recovered(bench: Bench, end: Finished | Failed, fault: Fault, undisturbed: str) -> None:
    assert isinstance(end, Finished), (fault, end)
    assert bench.streamed == end.text, fault
    plans = [event for event in bench.seen(Planned) if isinstance(event, Planned)]
    # Room for a shorter answer in llama.cpp's cache is less as well, and has no name among the steps.
    ways = [(p.backend, p.kv_type, p.prefill_chunk, p.image_max_tokens, p.precision, p.parts) for p in plans]
    assert len(set(ways)) == len(ways) > 1, (fault, "tried twice", ways)
    assert bench.retries, fault
    if all(retry.step in ("smaller_chunk", "") for retry in bench.retries):
        assert end.text == undisturbed, fault


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_allocation_that_fails_anywhere(bench: Bench, backend: BackendChoice) -> None:
    undisturbed = bench.ask(backend)
    assert isinstance(undisturbed, Finished)
    assert "CORNER SHOP" in undisturbed.text
    for fault in REFUSALS[backend]:
        end = bench.ask(backend, fault)
        assert_recovered(bench, end, fault, undisturbed.text)
        assert end.text.splitlines()[:3] == undisturbed.text.splitlines()[:3], fault
    assert len([event for event in bench.client.events if isinstance(event, EngineStarted)]) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_abort_anywhere(bench: Bench, backend: BackendChoice) -> None:
    undisturbed = bench.ask(backend)
    assert isinstance(undisturbed, Finished)
    for fault in ABORTS[backend]:
        end = bench.ask(backend, fault)
        assert_recovered(bench, end, fault, undisturbed.text)
        assert bench.seen(EngineStarted), fault


def test_a_load_takes_the_other_form_of_the_model(bench: Bench) -> None:
    end = bench.ask(BackendChoice.AUTO, Fault("load"))
    assert isinstance(end, Finished)
    assert [retry.step for retry in bench.retries] == ["other_backend"]
    assert end.stats.backend == "transformers"
    assert "CORNER SHOP" in end.text


def test_what_was_given_up_stays_given_up_for_the_next_question(bench: Bench) -> None:
    assert isinstance(bench.ask(BackendChoice.LLAMA_CPP, Fault("prefill")), Finished)
    (retry,) = bench.retries
    place = len(bench.client.events)
    assert isinstance(bench.client.ask(bench.request(BackendChoice.LLAMA_CPP)), Finished)
    later = bench.client.events[place:]
    assert not [event for event in later if isinstance(event, Retrying)]
    (planned,) = (event for event in later if isinstance(event, Planned))
    assert planned.peak_bytes <= retry.planned.peak_bytes


@pytest.mark.parametrize("backend", BACKENDS)
def test_at_the_end_of_the_ladder_one_error_has_the_figures(bench: Bench, backend: BackendChoice) -> None:
    end = bench.ask(backend, Fault("prefill", always=True))
    assert isinstance(end, Failed)
    assert end.error == "MemoryExhausted"
    assert int(end.values["tries"]) == len(bench.retries) + 1 > 2
    assert float(end.values["needed_gib"]) > 0
    assert end.values["limit_gib"] in end.message
    assert end.remedy
    steps = [(retry.step, retry.reason) for retry in bench.retries]
    assert len(set(steps)) == len(steps)
    again = bench.client.ask(bench.request(backend))
    assert isinstance(again, Finished), "what failed at the end does not rule out the next question"


def test_an_engine_that_always_aborts_is_not_started_for_ever(bench: Bench) -> None:
    end = bench.ask(BackendChoice.LLAMA_CPP, Fault("prefill", 1, "abort", always=True))
    assert isinstance(end, Failed)
    assert end.error == "EngineDied"
    assert len(bench.retries) == 1


def test_a_load_ahead_of_the_first_question(bench: Bench, pocket: Path) -> None:
    Fault("load").arm(bench.trigger)
    bench.client.process.load(ModelChoice(str(pocket), BackendChoice.AUTO, Mode.INSTRUCT))
    ready = bench.client.wait_for(ModelReady)
    assert ready.backend == "transformers"
    (retry,) = (event for event in bench.client.events if isinstance(event, Retrying))
    assert (retry.request_id, retry.step, retry.what) == ("", "other_backend", "loading the model")
