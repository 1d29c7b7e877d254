"""The engine in this process: which model it loads, when, and how a load ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from desktopapp.engine import engine as engine_module
from desktopapp.engine import loading
from desktopapp.engine.backend import (
    LoadProgress,
)
from desktopapp.engine.backends.fake import FakeBackend
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.engine import Engine
from desktopapp.engine.events import (
    Failed,
    LoadStopped,
    ModelLoading,
    ModelReady,
)
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.request import (
    BackendChoice,
    Mode,
    ModelChoice,
    Request,
    Role,
    Turn,
)
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelDamaged
from tests.engine_bench import Bench, Store, failure, last, say


def test_a_model_is_loaded_once_and_swapped_when_another_is_asked_for() -> None:
    bench = Bench(say(b"x"))
    for name in ("a-instruct", "a-instruct", "b-instruct", "a-instruct"):
        assert last(bench.ask(name)).stats.model == name
    assert bench.backend.loads == ["a-instruct.gguf", "b-instruct.gguf", "a-instruct.gguf"]


def test_the_mode_picks_the_variant() -> None:
    bench = Bench(say(b"x"))
    assert last(bench.ask(mode=Mode.THINKING)).stats.model == "a-thinking"
    assert last(bench.ask(mode=Mode.INSTRUCT)).stats.mode == "instruct"
    assert last(bench.ask("a-thinking", mode=Mode.INSTRUCT)).stats.model == "a-instruct"
    failed = failure(bench.ask("b-instruct", mode=Mode.THINKING))
    assert failed.error == "VariantMissing"
    assert "thinking" in failed.message


def test_a_choice_that_cannot_be_fulfilled_leaves_the_model_loaded() -> None:
    bench = Bench(say(b"x"))
    bench.ask()
    assert failure(bench.ask("nothing")).error == "ModelNotFound"
    assert failure(bench.ask("b-instruct", mode=Mode.THINKING)).error == "VariantMissing"
    bench.ask()
    assert bench.backend.loads == ["a-instruct.gguf"]


def test_memory_of_the_old_model_does_not_count_against_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(say(b"x"))
    seen: list[Path | None] = []

    def read_gpu() -> GpuFacts | None:
        seen.append(bench.backend.loaded)
        return None

    monkeypatch.setattr(engine_module, "read_gpu", read_gpu)
    bench.ask("a-instruct")
    bench.ask("b-instruct")
    assert seen[-1] is None


def test_a_backend_that_is_not_here_is_said() -> None:
    bench = Bench(say())
    request = Request("r", ModelChoice("fake", BackendChoice.FAKE), (Turn(Role.USER, "Hi"),))
    failed = failure(list(bench.engine.generate(request, CancelToken())))
    assert failed.error == "BackendUnavailable"


@pytest.mark.parametrize(
    ("name", "mode", "model"),
    [
        ("fake", None, "fake"),
        ("fake", Mode.THINKING, "fake-thinking"),
        ("fake-thinking", None, "fake-thinking"),
        ("fake-thinking", Mode.INSTRUCT, "fake"),
        ("a-instruct", None, "fake"),
    ],
)
def test_the_fake_runs_when_it_is_named_and_never_else(name: str, mode: Mode, model: str) -> None:
    store = Store()
    engine = Engine(store, {BackendChoice.FAKE: lambda: FakeBackend(None, None)}, StepClock())
    request = Request("r", ModelChoice(name, BackendChoice.FAKE, mode), (Turn(Role.USER, "Hi"),))
    end = last(list(engine.generate(request, CancelToken())))
    assert (end.stats.backend, end.stats.model) == ("fake", model)
    assert store.asked == 0
    other = Request("r", ModelChoice(name, BackendChoice.AUTO, mode), (Turn(Role.USER, "Hi"),))
    assert failure(list(engine.generate(other, CancelToken()))).error in (
        "ModelNotFound",
        "BackendUnavailable",
    )


def test_a_load_by_itself() -> None:
    bench = Bench(say(b"x"))
    choice = ModelChoice("a-instruct")
    for _ in range(2):
        events = list(bench.engine.load(choice, CancelToken()))
        assert len([e for e in events if isinstance(e, ModelReady)]) == 1
        assert events[-1] == next(e for e in events if isinstance(e, ModelReady))
    assert bench.backend.loads == ["a-instruct.gguf"]
    (failed,) = bench.engine.load(ModelChoice("nothing"), CancelToken())
    assert isinstance(failed, Failed)
    assert (failed.request_id, failed.error) == ("", "ModelNotFound")


@pytest.mark.parametrize("own_error", [False, True])
def test_a_load_stops_at_its_next_stage(own_error: bool) -> None:
    """Also where a library turns the callback's refusal into an error of its own."""
    cancel = CancelToken()

    def on_load(progress: LoadProgress) -> None:
        cancel.cancel()
        try:
            progress("vision", 0.9)
        except BaseException as error:
            raise ModelDamaged(file="x", reason="aborted") if own_error else error from error

    bench = Bench(say(b"x"), on_load)
    events = list(bench.engine.load(ModelChoice("a-instruct"), cancel))
    assert events[-1] == LoadStopped("a-instruct")
    assert bench.backend.loaded is None
    bench.backend.on_load = None
    assert isinstance(list(bench.engine.load(ModelChoice("a-instruct"), CancelToken()))[-1], ModelReady)


def test_a_load_given_up_before_it_began_leaves_the_model_loaded() -> None:
    bench = Bench(say(b"x"))
    bench.ask("a-instruct")
    cancel = CancelToken()
    cancel.cancel()
    assert list(bench.engine.load(ModelChoice("b-instruct"), cancel)) == [LoadStopped("b-instruct")]
    bench.ask("a-instruct")
    assert bench.backend.loads == ["a-instruct.gguf"]


def test_a_load_that_fails_leaves_nothing_behind() -> None:
    def on_load(progress: LoadProgress) -> None:
        raise ModelDamaged(file="m.gguf", reason="cut short")

    bench = Bench(say(b"x"), on_load)
    failed = failure(bench.ask())
    assert (failed.error, failed.values["file"]) == ("ModelDamaged", "m.gguf")
    bench.backend.on_load = None
    assert last(bench.ask()).text == "x"


def test_a_load_left_half_way_ends_by_itself() -> None:
    go_on = threading.Event()

    def on_load(progress: LoadProgress) -> None:
        go_on.wait(10.0)
        progress("vision", 0.9)

    bench = Bench(say(b"x"), on_load)
    events = bench.engine.load(ModelChoice("a-instruct"), CancelToken())
    assert isinstance(next(events), ModelLoading)
    assert isinstance(next(events), ModelLoading)
    threading.Timer(0.1, go_on.set).start()
    events.close()  # type: ignore[attr-defined]
    assert bench.backend.loaded is None
    assert last(bench.ask()).text == "x"


def test_a_load_left_in_its_last_stage_keeps_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_GIVE_UP_S", 0.01)
    go_on = threading.Event()

    def on_load(progress: LoadProgress) -> None:
        progress("warm_up", 0.9)
        go_on.wait(10.0)

    bench = Bench(say(b"x"), on_load)
    events = bench.engine.load(ModelChoice("a-instruct"), CancelToken())
    assert [getattr(next(events), "stage", "") for _ in range(3)] == ["import", "weights", "warm_up"]
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "load")
    events.close()  # type: ignore[attr-defined]
    go_on.set()
    thread.join(10.0)
    assert bench.backend.loads
    assert bench.backend.loaded is None


def test_progress_of_every_tensor_is_thinned_out() -> None:
    def on_load(progress: LoadProgress) -> None:
        for number in range(10_000):
            progress("weights", number / 10_000)
        progress("vision", 1.0)

    events = list(Bench(say(b"x"), on_load).engine.load(ModelChoice("a-instruct"), CancelToken()))
    stages = [e.stage for e in events if isinstance(e, ModelLoading)]
    assert len(stages) < 1000
    assert (stages[0], stages[1], stages[-1]) == ("import", "weights", "vision")


def test_unload() -> None:
    bench = Bench(say(b"x"))
    bench.engine.unload()
    bench.ask()
    bench.engine.unload()
    assert bench.backend.loaded is None
    bench.ask()
    assert len(bench.backend.loads) == 2


def test_what_an_unloaded_model_leaves_in_the_heap_goes_back_to_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, asked = Bench(say(b"x")), []
    monkeypatch.setattr(
        "desktopapp.engine.engine.give_back_freed", lambda: asked.append(bench.backend.loaded)
    )
    bench.engine.unload()
    assert asked == [], "nothing was loaded"
    bench.ask()
    bench.engine.unload()
    assert asked == [None], "behind the unload"
