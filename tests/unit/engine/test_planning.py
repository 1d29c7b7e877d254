"""Requests are planned with what is free, and run as planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import AttachmentRead, Event, Failed, Finished, ModelReady
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory import machine as machine_module
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.machine import Device, Machine, read_machine
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import (
    Attachment,
    BackendChoice,
    MemoryLimits,
    ModelChoice,
    Request,
    Role,
    Turn,
)
from desktopapp.engine.steps import StepClock
from desktopapp.modelstore import store
from tests.documents import write_document
from tests.published_configs import write_published_config

MIB, GIB = 2**20, 2**30


@dataclass(slots=True)
class FakeMachine:
    """System memory of any size."""

    free_bytes: int
    resident_bytes: int = 0

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        system = Device("System memory", False, self.free_bytes, 8 * GIB)
        return Machine(system, resident_bytes=self.resident_bytes)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine(4 * GIB)


@pytest.fixture
def planner(machine: FakeMachine, tmp_path: Path) -> RequestPlanner:
    return RequestPlanner(store, Calibration(tmp_path / "calibration.json"), machine)


@pytest.fixture
def engine(planner: RequestPlanner) -> Iterator[Engine]:
    made = Engine(store, default_backends(), StepClock(), planner)
    yield made
    made.unload()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.effect_noise((512, 512), 90).convert("RGB").save(tmp_path / "noise.png")
    return tmp_path / "noise.png"


def ask(model: Path | str, *files: Path, limits: MemoryLimits | None = None) -> Request:
    choice = ModelChoice(str(model), memory=limits or MemoryLimits())
    attachments = tuple(Attachment(str(file)) for file in files)
    return Request("r", choice, (Turn(Role.USER, "Describe this.", attachments),), max_new_tokens=4)


def run(engine: Engine, request: Request) -> list[Event]:
    return list(engine.generate(request, CancelToken()))


def only(events: list[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_the_plan_comes_first_and_says_what_happens(
    engine: Engine, random_folder: Path, picture: Path
) -> None:
    events = run(engine, ask(random_folder, picture))
    (planned,) = only(events, Planned)
    (ready,) = only(events, ModelReady)
    (read,) = only(events, AttachmentRead)
    (finished,) = only(events, Finished)
    assert isinstance(planned, Planned)
    assert isinstance(read, AttachmentRead)
    assert isinstance(finished, Finished)
    assert events.index(planned) < events.index(ready)
    assert planned.fits
    assert planned.attachments[0].tokens == read.tokens == 256
    assert planned.prompt_tokens == pytest.approx(finished.stats.prompt_tokens, abs=15)
    assert finished.stats.planned_peak_bytes == planned.comparable_peak_bytes


def test_pictures_are_shown_as_small_as_the_plan_says(
    engine: Engine, machine: FakeMachine, random_folder: Path, picture: Path
) -> None:
    run(engine, ask(random_folder, picture))
    full = run(engine, ask(random_folder, picture))
    (planned,) = only(full, Planned)
    assert isinstance(planned, Planned)
    machine.free_bytes = planned.peak_bytes - 2_000_000
    events = run(engine, ask(random_folder, picture))
    (planned,) = only(events, Planned)
    (read,) = only(events, AttachmentRead)
    assert isinstance(planned, Planned)
    assert isinstance(read, AttachmentRead)
    assert "fewer_pixels" in planned.steps_taken
    assert read.tokens == planned.attachments[0].tokens < 256
    assert not only(events, ModelReady)


def test_a_refusal_has_the_figures_and_loads_nothing(
    engine: Engine, machine: FakeMachine, random_folder: Path
) -> None:
    machine.free_bytes = 100 * MIB
    events = run(engine, ask(random_folder))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert failed.error == "DoesNotFit"
    assert failed.values["limit_gib"] == "0.09"
    assert float(failed.values["missing_gib"]) == pytest.approx(
        float(failed.values["needed_gib"]) - 0.1, abs=0.015
    )
    assert "Close other programs" in failed.remedy
    assert not only(events, ModelReady)


def test_the_ceiling_counts_where_more_is_free(engine: Engine, random_folder: Path) -> None:
    events = run(engine, ask(random_folder, limits=MemoryLimits(vram_limit_bytes=100 * MIB)))
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert "ceiling" in failed.remedy


def test_what_the_person_decided_reaches_the_backend(engine: Engine, random_folder: Path) -> None:
    limits = MemoryLimits(kv_type="int8", prefill_chunk_tokens=16)
    (planned,) = only(run(engine, ask(random_folder, limits=limits)), Planned)
    assert isinstance(planned, Planned)
    assert (planned.kv_type, planned.prefill_chunk) == ("int8", 16)


def test_a_draft_is_planned_without_loading(
    planner: RequestPlanner, machine: FakeMachine, tmp_path: Path, picture: Path
) -> None:
    machine.free_bytes = 60 * GIB
    write_published_config(tmp_path / "4B", "4B")
    headers = HeaderCache()
    draft = ask(tmp_path / "4B", picture)
    planned = planner.plan_draft(draft, headers)
    assert planned is not None
    assert planned.attachments[0].tokens == 256
    assert planned.fits
    fake = replace(draft, choice=ModelChoice("fake", BackendChoice.FAKE))
    assert planner.plan_draft(fake, headers) is None


def test_a_damaged_model_is_told_as_such(engine: Engine, tmp_path: Path) -> None:
    write_published_config(tmp_path / "4B", "4B")
    (tmp_path / "4B" / "model.safetensors").write_bytes(b"no weights")
    failed = run(engine, ask(tmp_path / "4B"))[-1]
    assert isinstance(failed, Failed)
    assert failed.error != "UnexpectedError"


def test_a_load_ahead_is_planned_and_serves_the_first_request(
    engine: Engine, random_folder: Path, picture: Path
) -> None:
    ready = list(engine.load(ModelChoice(str(random_folder)), CancelToken()))[-1]
    assert isinstance(ready, ModelReady)
    events = run(engine, ask(random_folder, picture))
    assert not only(events, ModelReady)
    assert isinstance(events[-1], Finished)


def test_what_stays_loaded_beside_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(total=16 * GIB, available=4 * GIB)
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=2 * GIB))
    psutil = SimpleNamespace(virtual_memory=lambda: memory, Process=lambda: process)
    monkeypatch.setattr(machine_module, "psutil", psutil)
    assert read_machine(0, 0).system.free_bytes == 6 * GIB
    assert read_machine(0, 100 * MIB).system.free_bytes == 6 * GIB - 100 * MIB
    assert read_machine(0, 3 * GIB).system.free_bytes == 4 * GIB


def test_a_loaded_model_is_not_refused_for_what_its_runtime_might_have_taken(
    engine: Engine, machine: FakeMachine, random_folder: Path, picture: Path
) -> None:
    assert isinstance(run(engine, ask(random_folder, picture))[-1], Finished)
    machine.free_bytes = 300 * MIB  # less than the runtime is assumed to take
    refused = run(engine, ask(random_folder, picture))[-1]
    assert isinstance(refused, Failed)
    assert refused.error == "DoesNotFit"
    machine.resident_bytes = 200 * MIB
    (planned,) = only(run(engine, ask(random_folder, picture)), Planned)
    assert isinstance(planned, Planned)
    assert planned.fits
    assert planned.parts.overhead + planned.parts.weights <= 200 * MIB
    limits = MemoryLimits(vram_limit_bytes=300 * MIB)
    ceiling = run(engine, ask(random_folder, picture, limits=limits))[-1]
    assert isinstance(ceiling, Failed), "a ceiling is for what a plan counts"


def test_pages_of_mapped_files_are_not_counted_as_free_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(total=16 * GIB, available=4 * GIB)
    held = SimpleNamespace(
        rss=2 * GIB, shared=GIB
    )  # a GGUF's weights: the system calls their pages available
    process = SimpleNamespace(memory_info=lambda: held)
    psutil = SimpleNamespace(virtual_memory=lambda: memory, Process=lambda: process)
    monkeypatch.setattr(machine_module, "psutil", psutil)
    machine = read_machine(0, 0)
    assert (machine.system.free_bytes, machine.resident_bytes) == (5 * GIB, 2 * GIB)


def on_a_card(free_gib: float, tmp_path: Path) -> RequestPlanner:
    """A planner of a machine whose card both backends can use."""
    free = round(free_gib * GIB)
    machine = Machine(
        Device("System memory", False, 32 * GIB, 32 * GIB),
        Device("RTX", True, free, free),
        frozenset({BackendChoice.TRANSFORMERS, BackendChoice.LLAMA_CPP}),
    )
    calibration = Calibration(tmp_path / "calibration.json")
    return RequestPlanner(store, calibration, lambda own_gpu_bytes=0, other_bytes=0: machine)


def test_a_card_of_8_gib_gets_8_bit_weights_and_the_window_one_sentence(
    tmp_path: Path, picture: Path
) -> None:
    write_published_config(tmp_path / "4B", "4B")
    planned = on_a_card(8, tmp_path).preview(ask(tmp_path / "4B", picture), HeaderCache())
    assert planned.event.fits
    assert planned.event.precision == "INT8"
    assert planned.event.steps_taken == ("weights_8bit",)
    assert planned.reason.startswith("The weights are loaded in 8 bits")
    assert planned.load_options(ModelChoice("")).weight_type == "int8"


def test_16_bit_weights_stay_where_they_fit(tmp_path: Path, picture: Path) -> None:
    write_published_config(tmp_path / "4B", "4B")
    planned = on_a_card(12, tmp_path).preview(ask(tmp_path / "4B", picture), HeaderCache())
    assert planned.event.precision == "BF16"
    assert planned.load_options(ModelChoice("")).weight_type == "stored"


def test_what_does_not_fit_says_why_and_which_model_would(tmp_path: Path, picture: Path) -> None:
    write_published_config(tmp_path / "8B", "8B")
    limits = MemoryLimits(vram_limit_bytes=8 * GIB, kv_type="16bit")
    planned = on_a_card(24, tmp_path).preview(ask(tmp_path / "8B", picture, limits=limits), HeaderCache())
    assert not planned.event.fits
    assert "low_ceiling" in [note.code for note in planned.event.conflict_notes]
    assert "raise_ceiling" in [note.code for note in planned.event.remedy_notes]


def test_a_plan_in_parts_becomes_a_long_job(
    engine: Engine, machine: FakeMachine, random_folder: Path, tmp_path: Path
) -> None:
    book = write_document(tmp_path / "book.pdf", [f"Chapter {number}" for number in range(6)])
    request = ask(random_folder, book)
    # Pages whose text is wanted keep 1,024 tokens, so that pixels alone do not make them fit.
    request = replace(request, turns=(replace(request.turns[0], text="Extract all text."),))
    whole = only(run(engine, request), Planned)[0]
    assert isinstance(whole, Planned)
    assert whole.segments == 1
    fixed = whole.parts.weights + whole.parts.overhead
    machine.free_bytes = fixed + (whole.peak_bytes - fixed) * 2 // 5
    events = run(engine, request)
    planned, finished = only(events, Planned)[0], events[-1]
    assert isinstance(planned, Planned)
    assert isinstance(finished, Finished)
    assert planned.segments > 1
    assert planned.fits
    assert finished.text.count("Page") >= planned.segments
