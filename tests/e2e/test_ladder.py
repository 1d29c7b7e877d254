"""Memory that runs out inside the real engine process, with the real backends: the answer comes in the end, or one clear error.

Allocations fail, and libraries abort, at a load, a picture, chunks of the prompt and tokens of the answer. Nothing that
was streamed is lost, and nothing is tried twice in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktopapp.engine.events import Failed, Finished, ModelReady
from desktopapp.engine.memory_events import IDLE_MODEL, Retrying
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import BackendChoice, Mode, ModelChoice
from desktopapp.worker.process_events import EngineStarted
from tests.ladder_bench import BACKENDS, POCKET, LadderBench, both_forms, judged, sweep
from tests.memory_faults import Fault

NEW_TOKENS = 12
ABORTS = [
    (BackendChoice.TRANSFORMERS, [Fault("load", 1, "abort"), Fault("vision", 1, "abort")]),
    (BackendChoice.TRANSFORMERS, [Fault("prefill", 2, "told_abort"), Fault("decode", 9, "told_abort")]),
    (
        BackendChoice.LLAMA_CPP,
        [
            Fault("load", 1, "abort"),
            Fault("context", 1, "told_abort"),
            Fault("vision", 1, "abort"),
            *(Fault("prefill", number, "told_abort") for number in (1, 2)),
            Fault("prefill", 3, "abort"),
            Fault("decode", 1, "abort"),
            *(Fault("decode", number, "told_abort") for number in (2, 6, 11)),
        ],
    ),
]
"""Each costs a new process; `tests/benchmarks/bench_injected_failures.py` aborts everywhere."""


@pytest.fixture(scope="module")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return both_forms(tmp_path_factory.mktemp("models"))


@pytest.fixture
def bench(pocket: Path, tmp_path: Path) -> Iterator[LadderBench]:
    made = LadderBench(pocket, tmp_path)
    with made.client:
        yield made


@pytest.fixture
def short_bench(pocket: Path, tmp_path: Path) -> Iterator[LadderBench]:
    """Answers of a few tokens, so that each can be the one that fails."""
    made = LadderBench(pocket, tmp_path, NEW_TOKENS)
    with made.client:
        yield made


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_allocation_that_fails_anywhere(short_bench: LadderBench, backend: BackendChoice) -> None:
    undisturbed = short_bench.ask(backend)
    assert isinstance(undisturbed, Finished)
    assert "CORNER SHOP" in undisturbed.text
    outcomes = list(sweep(short_bench, backend, "refused", undisturbed))
    assert [(outcome.fault, outcome.wrong) for outcome in outcomes if outcome.wrong] == []
    recovered = [outcome.fault for outcome in outcomes if isinstance(outcome.end, Finished)]
    assert [fault for fault in recovered if fault.point == "load"] == []
    assert [fault.number for fault in recovered if fault.point == "decode"] == list(range(1, NEW_TOKENS))
    assert len([fault for fault in recovered if fault.point == "prefill"]) >= 3
    for outcome in outcomes:
        if isinstance(outcome.end, Finished):
            assert outcome.end.text.splitlines()[0] == undisturbed.text.splitlines()[0], outcome.fault
    assert len([event for event in short_bench.client.events if isinstance(event, EngineStarted)]) == 1


@pytest.mark.parametrize(("backend", "faults"), ABORTS)
def test_an_abort_anywhere(short_bench: LadderBench, backend: BackendChoice, faults: list[Fault]) -> None:
    undisturbed = short_bench.ask(backend)
    assert isinstance(undisturbed, Finished)
    for fault in faults:
        end = short_bench.ask(backend, fault)
        assert short_bench.happened, fault
        assert judged(short_bench, fault, end, undisturbed).wrong == "", fault
        assert isinstance(end, Finished) or fault.point == "load", (fault, end)
        assert short_bench.starts == 1, fault


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_engine_that_dies_behind_its_message_loses_no_step(
    short_bench: LadderBench, backend: BackendChoice
) -> None:
    undisturbed = short_bench.ask(backend)
    assert isinstance(undisturbed, Finished)
    fault = Fault("decode", 9, "late_abort")
    end = short_bench.ask(backend, fault)
    assert isinstance(end, Finished), end
    assert judged(short_bench, fault, end, undisturbed).wrong == ""
    assert (len(short_bench.retries), short_bench.starts) == (1, 1)


def test_an_engine_that_dies_behind_each_message_is_given_up(short_bench: LadderBench) -> None:
    end = short_bench.ask(BackendChoice.LLAMA_CPP, Fault("prefill", 1, "late_abort", always=True))
    assert isinstance(end, Failed)
    assert short_bench.starts <= len(short_bench.retries) + 2


def test_the_idle_model_of_the_pair_gives_way_before_a_step_is_taken(tmp_path: Path) -> None:
    bench = LadderBench(POCKET, tmp_path, NEW_TOKENS)
    thinking = ModelChoice(str(POCKET), BackendChoice.TRANSFORMERS, Mode.THINKING)
    with bench.client as client:
        for fault in (Fault("load"), Fault("decode", 3), Fault("decode", 3, "told_abort")):
            client.process.unload()
            assert isinstance(client.ask(bench.request(BackendChoice.TRANSFORMERS)), Finished)
            if fault.point == "decode":
                assert isinstance(client.ask(bench.request(BackendChoice.AUTO, choice=thinking)), Finished)
            fault.arm(bench.trigger)
            place = len(client.events)
            end = client.ask(bench.request(BackendChoice.AUTO, choice=thinking))
            assert isinstance(end, Finished), end
            assert not bench.trigger.exists(), "it never happened"
            during = client.events[place:]
            assert [event.step for event in during if isinstance(event, Retrying)] == [IDLE_MODEL]
            plans = [event for event in during if isinstance(event, Planned)]
            assert {plan.steps_taken for plan in plans} == {()}


def test_a_load_takes_the_other_form_of_the_model(bench: LadderBench) -> None:
    end = bench.ask(BackendChoice.AUTO, Fault("load"))
    assert isinstance(end, Finished)
    assert [retry.step for retry in bench.retries] == ["other_backend"]
    assert end.stats.backend == "transformers"
    assert "CORNER SHOP" in end.text


def test_what_was_given_up_stays_given_up_for_the_next_question(bench: LadderBench) -> None:
    assert isinstance(bench.ask(BackendChoice.LLAMA_CPP, Fault("prefill")), Finished)
    (retry,) = bench.retries
    place = len(bench.client.events)
    assert isinstance(bench.client.ask(bench.request(BackendChoice.LLAMA_CPP)), Finished)
    later = bench.client.events[place:]
    assert not [event for event in later if isinstance(event, Retrying)]
    (planned,) = (event for event in later if isinstance(event, Planned))
    assert planned.peak_bytes <= retry.planned.peak_bytes


@pytest.mark.parametrize("backend", BACKENDS)
def test_at_the_end_of_the_ladder_one_error_has_the_figures(
    bench: LadderBench, backend: BackendChoice
) -> None:
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


def test_an_engine_that_always_aborts_is_not_started_for_ever(bench: LadderBench) -> None:
    end = bench.ask(BackendChoice.LLAMA_CPP, Fault("prefill", 1, "abort", always=True))
    assert isinstance(end, Failed)
    assert end.error == "EngineDied"
    assert len(bench.retries) == 1


def test_a_load_ahead_of_the_first_question(bench: LadderBench, pocket: Path) -> None:
    Fault("load").arm(bench.trigger)
    bench.client.process.load(ModelChoice(str(pocket), BackendChoice.AUTO, Mode.INSTRUCT))
    ready = bench.client.wait_for(ModelReady)
    assert ready.backend == "transformers"
    (retry,) = (event for event in bench.client.events if isinstance(event, Retrying))
    assert (retry.request_id, retry.step, retry.what) == ("", "other_backend", "loading the model")
