"""The engine's choice between the models of a pair: said before anything else, kept in memory where there is room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktopapp.engine import engine as engine_module
from desktopapp.engine.events import Event, ModelLoading, ModelReady
from desktopapp.engine.memory.probe import DeviceWatch
from desktopapp.engine.reasoning_events import Routed
from desktopapp.engine.request import BackendChoice, Mode, Role, Turn
from desktopapp.errors import OutOfMemory
from tests.engine_bench import Bench, ScriptedBackend, failure, last, say

PROOF = "Prove by induction that every natural number above 1 has a prime divisor."
READ = "Read the text in this picture."


class PairBench(Bench):
    """Each load gets a backend of its own, as in the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, has_room: bool) -> None:
        super().__init__(say(b"x"))
        self.made: list[ScriptedBackend] = []
        self.engine._backends = {BackendChoice.LLAMA_CPP: self._make}
        monkeypatch.setattr(engine_module, "has_room_beside", lambda *_, **__: has_room)

    def _make(self) -> ScriptedBackend:
        self.made.append(ScriptedBackend(say(b"x")))
        return self.made[-1]

    def route(
        self, text: str, model: str = "a-instruct", mode: Mode = Mode.AUTO, **changes: object
    ) -> list[Event]:
        return self.ask(model, mode, turns=(Turn(Role.USER, text),), **changes)

    @property
    def loads(self) -> list[str]:
        return [name for backend in self.made for name in backend.loads]


def routed(events: list[Event]) -> Routed:
    (found,) = [event for event in events if isinstance(event, Routed)]
    return found


@pytest.fixture(params=[True, False], ids=["room", "no room"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PairBench:
    return PairBench(monkeypatch, has_room=request.param)


def test_the_task_chooses_and_the_choice_comes_before_the_load(bench: PairBench) -> None:
    events = bench.route(PROOF)
    choice = routed(events)
    assert (choice.mode, choice.model, choice.task, choice.cause) == (
        "thinking",
        "a-thinking",
        "proof",
        "task",
    )
    assert choice.has_other
    assert events.index(choice) < next(i for i, e in enumerate(events) if isinstance(e, ModelLoading))
    assert last(events).stats.model == "a-thinking"
    assert routed(bench.route(READ, "a-thinking")).model == "a-instruct"


def test_without_a_mode_the_named_model_answers_and_nothing_is_said(bench: PairBench) -> None:
    events = bench.ask("a-instruct", turns=(Turn(Role.USER, PROOF),))
    assert last(events).stats.model == "a-instruct"
    assert not any(isinstance(event, Routed) for event in events)


def test_what_the_person_asked_for_is_done_and_said(bench: PairBench) -> None:
    events = bench.route(PROOF, mode=Mode.INSTRUCT)
    assert (routed(events).cause, routed(events).mode) == ("asked", "instruct")
    assert last(events).stats.model == "a-instruct"


def test_the_only_one_is_used_and_said(bench: PairBench) -> None:
    events = bench.route(PROOF, "b-instruct")
    assert (routed(events).cause, routed(events).has_other) == ("only one", False)
    assert last(events).stats.model == "b-instruct"
    assert failure(bench.route(PROOF, "b-instruct", Mode.THINKING)).error == "VariantMissing"


def test_a_follow_up_stays_with_its_model(bench: PairBench) -> None:
    events = bench.route("And why?", previous_mode=Mode.INSTRUCT)
    assert (routed(events).cause, routed(events).mode) == ("follow-up", "instruct")


def test_what_was_said_before_does_not_steer_the_choice(bench: PairBench) -> None:
    earlier = (Turn(Role.USER, f"{PROOF} From now on let only Thinking answer."), Turn(Role.ASSISTANT, PROOF))
    events = bench.ask("a-instruct", Mode.AUTO, turns=(*earlier, Turn(Role.USER, READ)))
    assert (routed(events).mode, routed(events).task) == ("instruct", "reading")


def test_a_message_of_pictures_alone_has_an_answer(bench: PairBench) -> None:
    assert routed(bench.route("")).mode == "instruct"
    assert routed(bench.route("", previous_mode=Mode.THINKING)).mode == "thinking"


def test_where_memory_holds_both_changing_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = PairBench(monkeypatch, has_room=True)
    for text in (READ, PROOF, READ, PROOF):
        events = bench.route(text)
    assert bench.loads == ["a-instruct.gguf", "a-thinking.gguf"]
    assert routed(events).swap_s == 0.0
    (ready,) = [event for event in events if isinstance(event, ModelReady)]
    assert (ready.model, ready.load_s) == ("a-thinking", 0.0)
    bench.engine.unload()
    assert [backend.loaded for backend in bench.made] == [None, None]


def test_where_it_does_not_the_old_one_goes_first_and_the_swap_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = PairBench(monkeypatch, has_room=False)
    bench.route(READ)
    first = routed(bench.route(PROOF))
    assert first.swap_s >= 0.0
    assert bench.made[0].loaded is None
    assert routed(bench.route(READ)).swap_s > 0.0
    assert bench.loads == ["a-instruct.gguf", "a-thinking.gguf", "a-instruct.gguf"]


def test_another_family_is_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = PairBench(monkeypatch, has_room=True)
    bench.route(READ)
    bench.route(READ, "b-instruct")
    assert bench.made[0].loaded is None


def test_the_one_that_waits_gives_way_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = PairBench(monkeypatch, has_room=True)
    bench.route(READ)
    bench.route(PROOF)
    thinking = bench.made[1]

    def fail(*_: object) -> None:
        raise OutOfMemory(what="answering", detail="")

    monkeypatch.setattr(thinking, "script", fail)
    assert failure(bench.route(PROOF)).error == "OutOfMemory"
    assert [backend.loaded is None for backend in bench.made] == [True, False]


def test_memory_of_both_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = PairBench(monkeypatch, has_room=True)
    bench.route(READ)
    bench.route(PROOF)
    for backend in bench.made:
        parts = backend.memory_parts()
        monkeypatch.setattr(backend, "memory_parts", lambda parts=parts: replace(parts, weights_bytes=100))
    assert bench.engine.sample_memory(DeviceWatch()).parts.weights_bytes == 200
