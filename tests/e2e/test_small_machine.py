"""Another program takes what is left of the machine's memory while a long prompt is read; see `shrunk_machine.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.events import Finished
from desktopapp.engine.request import BackendChoice, MemoryLimits, Request, Role, Turn
from tests.ladder_bench import BACKENDS, LadderBench, both_forms
from tests.memory_faults import Fault

MIB = 1 << 20
MACHINE_BYTES = 2048 * MIB
"""Too little for weights to be widened to 32 bits, on whichever processor."""

LONG = "Once there was a small red house near the river. " * 64
NEW_TOKENS = 24


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LadderBench]:
    (tmp_path / "models").mkdir()
    made = LadderBench(both_forms(tmp_path / "models"), tmp_path, NEW_TOKENS, MACHINE_BYTES)
    with made.client:
        yield made


def long_question(bench: LadderBench, backend: BackendChoice) -> Request:
    return bench.request(backend, turns=(Turn(Role.USER, f"{LONG}\nWhat is red?"),))


def warm_up(bench: LadderBench, backend: BackendChoice) -> None:
    """Have what a step down computes with in memory: libraries count as well, and the neighbour leaves nothing."""
    asked = bench.request(backend)
    limits = MemoryLimits(kv_type="int8")
    assert isinstance(bench.client.ask(replace(asked, choice=replace(asked.choice, memory=limits))), Finished)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_comes_beside_a_program_that_leaves_nothing(
    bench: LadderBench, backend: BackendChoice
) -> None:
    warm_up(bench, backend)
    end = bench.ask_beside(Fault("prefill", 3, "neighbour", always=True), long_question(bench, backend))
    assert isinstance(end, Finished), end
    assert bench.streamed == end.text
    # llama.cpp has what it needs from the begin on; transformers gives up bits of what it remembers, how many depends on
    # what the machine's libraries compute with.
    steps = [retry.step for retry in bench.retries]
    if backend is BackendChoice.TRANSFORMERS:
        assert steps in (["kv_8bit"], ["kv_4bit"], ["kv_8bit", "kv_4bit"])
    else:
        assert not steps
    assert {retry.what for retry in bench.retries} <= {"reading the prompt"}
    alone = bench.ask_beside(None, long_question(bench, backend))
    assert isinstance(alone, Finished)
    assert not bench.retries


def test_where_nothing_helps_one_error_says_what_is_missing_and_who_holds_it(bench: LadderBench) -> None:
    fault = Fault("prefill", 3, "neighbour", always=True, leaves_bytes=-64 * MIB)
    end = bench.ask_beside(fault, long_question(bench, BackendChoice.TRANSFORMERS))
    assert not isinstance(end, Finished)
    assert end.error == "MemoryExhausted"
    assert float(end.values["needed_gib"]) > float(end.values["limit_gib"]) > 0
    assert "Close other programs" in end.remedy
    assert "other_programs" in end.values["conflict_notes"]
    steps = [retry.step for retry in bench.retries]
    assert len(set(steps)) == len(steps) <= 4
