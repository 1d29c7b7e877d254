"""The model of a pair that waits in memory goes before anything is given up, and stays where nothing has to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktopapp.engine import engine as engine_module
from desktopapp.engine.backend import Backend, LoadProgress
from desktopapp.engine.backends.registry import default_backends
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import Event, Failed, Finished, ModelReady, Stats
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.machine import Device, Machine
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import MemoryParts, Planned
from desktopapp.engine.request import BackendChoice, MemoryLimits, Mode, ModelChoice, Request, Role, Turn
from desktopapp.engine.request_plan import RequestPlan
from desktopapp.engine.steps import StepClock
from desktopapp.errors import FREED, OutOfMemory
from desktopapp.modelstore import store
from tests.engine_bench import ScriptedBackend, say

MIB, GIB = 2**20, 2**30
IDLE_BYTES = 300 * MIB
ROOMY_BYTES = 3 * GIB // 2
"""Of everything; no more, since weights are widened where there is plenty."""

POCKET = Path(__file__).resolve().parents[3] / "models" / "qwen3-vl" / "qwen3-vl-pocket-instruct"


@dataclass(slots=True)
class SmallMachine:
    """System memory of any size, less what another loaded model holds of it."""

    free_bytes: int

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        return Machine(Device("System memory", False, self.free_bytes - other_bytes, 8 * GIB))


class FirmPlanner(RequestPlanner):
    """Scripted runs measure nothing that could be learnt from."""

    def learn(self, plan: RequestPlan, stats: Stats) -> None:
        """Nothing."""


class Pair:
    """An engine that keeps both pocket models."""

    def __init__(self, make: Callable[[], Backend], folder: Path) -> None:
        self.machine = SmallMachine(ROOMY_BYTES)
        self.planner = FirmPlanner(store, Calibration(folder / "calibration.json"), self.machine)
        backends = {BackendChoice.TRANSFORMERS: make}
        self.engine = Engine(store, backends, StepClock(), self.planner)

    def choice(self, mode: Mode, **limits: int) -> ModelChoice:
        memory = MemoryLimits(**limits)  # type: ignore[arg-type]
        return ModelChoice(str(POCKET), BackendChoice.TRANSFORMERS, mode, memory=memory)

    def ask(self, mode: Mode, words: int = 1, **limits: int) -> list[Event]:
        turns = (Turn(Role.USER, "word " * words),)
        request = Request("r", self.choice(mode, **limits), turns, max_new_tokens=4)
        return list(self.engine.generate(request, CancelToken()))

    @property
    def idle(self) -> str:
        parked = self.engine._parked
        return parked.model.kind.value if parked is not None else ""


@pytest.fixture(autouse=True)
def room_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "has_room_beside", lambda *_, **__: True)


@pytest.fixture
def made() -> list[ScriptedBackend]:
    return []


@pytest.fixture
def pair(made: list[ScriptedBackend], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """Both models are there, the Thinking one answers and the Instruct one waits."""
    monkeypatch.setattr(ScriptedBackend, "memory_parts", lambda _: MemoryParts(weights_bytes=IDLE_BYTES))

    def make() -> Backend:
        made.append(ScriptedBackend(say(b"x")))
        return made[-1]

    pair = Pair(make, tmp_path)
    pair.ask(Mode.INSTRUCT)
    pair.ask(Mode.THINKING)
    assert pair.idle == "instruct"
    yield pair
    pair.engine.unload()


def planned(events: list[Event]) -> Planned:
    (found,) = [event for event in events if isinstance(event, Planned)]
    return found


def test_it_goes_before_anything_is_given_up(pair: Pair, made: list[ScriptedBackend]) -> None:
    pair.machine.free_bytes = planned(pair.ask(Mode.THINKING, 400)).peak_bytes + 8 * MIB
    events = pair.ask(Mode.THINKING, 400)
    assert planned(events).steps_taken == ()
    assert isinstance(events[-1], Finished)
    assert pair.idle == ""
    assert made[0].loaded is None


def test_it_stays_where_smaller_chunks_do(pair: Pair) -> None:
    phases = planned(pair.ask(Mode.THINKING, 400)).phases
    pair.machine.free_bytes = IDLE_BYTES + (3 * phases.prefill + phases.decode) // 4
    assert planned(pair.ask(Mode.THINKING, 400)).steps_taken == ("smaller_chunk",)
    assert pair.idle == "instruct"


def test_what_has_to_give_something_up_is_not_loaded_beside_it(pair: Pair) -> None:
    pair.machine.free_bytes = planned(pair.ask(Mode.THINKING, 400)).phases.decode - 4 * MIB
    assert "kv_8bit" in planned(pair.ask(Mode.INSTRUCT, 400)).steps_taken
    assert pair.idle == ""
    assert "kv_8bit" in planned(pair.ask(Mode.THINKING, 400)).steps_taken
    assert pair.idle == ""


def test_a_ceiling_that_was_set_since_leaves_no_room_for_it(pair: Pair) -> None:
    events = pair.ask(Mode.THINKING, vram_limit_bytes=2 * GIB)
    assert isinstance(events[-1], Finished)
    assert pair.idle == ""


def test_a_load_lets_it_go_as_well_and_what_is_loaded_does_not(pair: Pair) -> None:
    pair.machine.free_bytes = 2 * IDLE_BYTES
    list(pair.engine.load(pair.choice(Mode.THINKING), CancelToken()))
    assert pair.idle == "instruct"
    pair.engine.unload()
    pair.machine.free_bytes = ROOMY_BYTES
    pair.ask(Mode.INSTRUCT)
    pair.ask(Mode.THINKING)
    pair.ask(Mode.INSTRUCT)
    events = list(pair.engine.load(pair.choice(Mode.INSTRUCT, vram_limit_bytes=2 * GIB), CancelToken()))
    assert isinstance(events[-1], ModelReady)
    assert pair.idle == ""


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("error", [OutOfMemory(what="loading the model", detail=""), MemoryError()])
def test_where_memory_runs_out_beside_it_the_same_can_be_tried_again(
    pair: Pair, made: list[ScriptedBackend], ahead: bool, error: Exception
) -> None:
    pair.engine.unload()
    pair.ask(Mode.INSTRUCT)

    def refuse(_progress: LoadProgress) -> None:
        raise error

    def make() -> Backend:
        made.append(ScriptedBackend(say(b"x"), refuse))
        return made[-1]

    working, pair.engine._backends = pair.engine._backends, {BackendChoice.TRANSFORMERS: make}
    load = list(pair.engine.load(pair.choice(Mode.THINKING), CancelToken())) if ahead else []
    failed = (load or pair.ask(Mode.THINKING))[-1]
    assert isinstance(failed, Failed)
    assert (failed.error, failed.values[FREED]) == ("OutOfMemory", POCKET.name)
    assert pair.idle == ""
    pair.engine._backends = working
    assert isinstance(pair.ask(Mode.THINKING)[-1], Finished)


def test_without_one_that_waits_nothing_says_so(pair: Pair, made: list[ScriptedBackend]) -> None:
    pair.engine.unload()
    pair.ask(Mode.INSTRUCT)

    def refuse(*_: object) -> None:
        raise OutOfMemory(what="reading the prompt", detail="")

    made[-1].script = refuse  # type: ignore[assignment]
    failed = pair.ask(Mode.INSTRUCT)[-1]
    assert isinstance(failed, Failed)
    assert FREED not in failed.values


def test_the_real_pair(tmp_path: Path) -> None:
    pair = Pair(default_backends()[BackendChoice.TRANSFORMERS], tmp_path)
    try:
        pair.ask(Mode.INSTRUCT)
        whole = planned(pair.ask(Mode.THINKING, 400))
        assert pair.idle == "instruct"
        held = pair.engine._parked.backend.memory_parts().total_bytes if pair.engine._parked else 0
        assert held > MIB
        pair.machine.free_bytes = whole.phases.decode + held // 2
        events = pair.ask(Mode.THINKING, 400)
        assert isinstance(events[-1], Finished)
        assert "kv_8bit" not in planned(events).steps_taken
        assert pair.idle == ""
    finally:
        pair.engine.unload()
