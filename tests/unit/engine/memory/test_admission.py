"""What the next phase will allocate is asked for before it is allocated, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.backend import (
    GenerationEnded,
    GenerationStep,
    ImageEvaluated,
    PromptProgress,
    TokenAdded,
)
from desktopapp.engine.events import FinishReason
from desktopapp.engine.memory import admission
from desktopapp.engine.memory.admission import EVERY_TOKENS, Admission
from desktopapp.engine.memory.content import Content
from desktopapp.engine.memory.machine import Device
from desktopapp.engine.memory.planner import Plan, make_plan
from desktopapp.engine.price_events import MemoryParts, MemorySample
from desktopapp.engine.request import MemoryLimits
from desktopapp.errors import SHORT, OutOfMemory
from tests.unit.engine.memory.test_planner import SCREEN, on_gpu

GIB, MIB = 2**30, 2**20
BLOCK = 1024
TEXT_TOKENS = 3000


class Card:
    """A card of 24 GiB; the test says what is taken of it."""

    def __init__(self) -> None:
        self.others = 0
        self.parts = MemoryParts(weights_bytes=9 * GIB)
        self.looks = 0

    def read(self) -> MemorySample:
        self.looks += 1
        used = self.parts.total_bytes + self.others
        return MemorySample("GPU", True, used, 24 * GIB, self.parts.total_bytes, self.parts)

    def leave(self, free_bytes: int) -> None:
        self.others = 24 * GIB - self.parts.total_bytes - free_bytes


@pytest.fixture
def card() -> Card:
    return Card()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return make_plan(on_gpu(22, tmp_path), Content((SCREEN, TEXT_TOKENS), 2048), MemoryLimits())


def run(admission: Admission, plan: Plan, card: Card, answer: int = 0) -> Iterator[GenerationStep]:
    """A generation that allocates as the backend does."""
    costs, total = plan.setup.candidate.costs(plan.setup.placement), 5010

    def generation() -> Iterator[GenerationStep]:
        def hold(tokens: int) -> None:
            kv_bytes = costs.kv_bytes(tokens, tokens, plan.setup.run)
            card.parts = MemoryParts(weights_bytes=9 * GIB, kv_cache_bytes=kv_bytes)

        hold(total)
        yield PromptProgress(0, total)
        yield ImageEvaluated(0, 2040)
        yield PromptProgress(2048, total)
        yield PromptProgress(4096, total)
        yield PromptProgress(total, total)
        for number in range(answer):
            yield TokenAdded(number, b"a")
            hold(total + number + 1)
        yield GenerationEnded(FinishReason.STOP, 0)

    return admission.guard(generation())


def refused(steps: Iterator[GenerationStep]) -> tuple[str, list[GenerationStep]]:
    """What was being done when it was refused, and the steps until then."""
    seen: list[GenerationStep] = []
    with pytest.raises(OutOfMemory) as caught:
        seen.extend(steps)
    return caught.value.values["what"], seen


def take(steps: Iterator[GenerationStep], last: type[GenerationStep]) -> None:
    for step in steps:
        if isinstance(step, last):
            return


def test_with_room_nothing_is_refused(card: Card, plan: Plan) -> None:
    assert len(list(run(Admission(plan, card.read), plan, card, answer=500))) == 506


def test_weights_before_they_are_loaded(card: Card, plan: Plan) -> None:
    card.parts = MemoryParts()
    card.leave(8 * GIB)
    with pytest.raises(OutOfMemory) as caught:
        Admission(plan, card.read).check_load()
    assert caught.value.values["what"] == "loading the model"
    card.leave(9 * GIB)
    Admission(plan, card.read).check_load()


def test_the_prompts_keys_and_values_before_anything_is_read(card: Card, plan: Plan) -> None:
    card.leave(300 * MIB)
    what, seen = refused(run(Admission(plan, card.read), plan, card))
    assert (what, seen) == ("reading the prompt", [])


def test_a_picture_before_it_is_looked_at(card: Card, plan: Plan) -> None:
    steps = run(Admission(plan, card.read), plan, card)
    assert next(steps) == PromptProgress(0, 5010)
    card.leave(20 * MIB)
    assert refused(steps) == ("reading a picture", [])


def test_a_chunk_before_it_is_evaluated(card: Card, plan: Plan) -> None:
    steps = run(Admission(plan, card.read), plan, card)
    take(steps, ImageEvaluated)
    assert next(steps) == PromptProgress(2048, 5010)
    card.leave(20 * MIB)
    assert refused(steps) == ("reading the prompt", [])


def test_an_answer_before_its_cache_grows_and_no_sooner(card: Card, plan: Plan) -> None:
    steps = run(Admission(plan, card.read), plan, card, answer=1000)
    for step in steps:
        if step == PromptProgress(5010, 5010):
            break
    card.leave(20 * MIB)
    what, seen = refused(steps)
    assert what == "writing the answer"
    # 5,120 tokens have room; the look ahead is one period long.
    assert 5 * BLOCK - 5010 - 2 * EVERY_TOKENS <= len(seen) <= 5 * BLOCK - 5010


def test_what_the_allocator_holds_unused_is_room(card: Card, plan: Plan) -> None:
    steps = run(Admission(plan, card.read), plan, card)
    take(steps, ImageEvaluated)
    next(steps)
    card.parts = MemoryParts(9 * GIB, kv_cache_bytes=card.parts.kv_cache_bytes, unused_bytes=2 * GIB)
    card.leave(0)
    assert next(steps) == PromptProgress(4096, 5010)


def test_a_ceiling_is_kept_though_more_is_free(card: Card, plan: Plan) -> None:
    overhead_bytes = plan.setup.candidate.costs(plan.setup.placement).overhead_bytes
    ceiling_bytes = 9 * GIB + overhead_bytes + 200 * MIB
    what, _ = refused(run(Admission(plan, card.read, ceiling_bytes), plan, card))
    assert what == "reading the prompt"


def test_an_answer_costs_one_look_in_many_tokens(card: Card, plan: Plan) -> None:
    steps = run(Admission(plan, card.read), plan, card, answer=640)
    for step in steps:
        if step == PromptProgress(5010, 5010):
            break
    before = card.looks
    assert len(list(steps)) == 641
    assert card.looks - before == 10


@pytest.mark.parametrize("is_gpu", [False, True])
def test_what_the_c_library_kept_is_asked_back_before_system_memory_is_refused(
    card: Card, plan: Plan, monkeypatch: pytest.MonkeyPatch, *, is_gpu: bool
) -> None:
    device = Device("memory", is_gpu, 24 * GIB, 24 * GIB)
    candidate = replace(plan.setup.candidate, device=device)
    plan = replace(plan, setup=replace(plan.setup, candidate=candidate))
    monkeypatch.setattr(admission, "give_back_freed", lambda: card.leave(2 * GIB))
    steps = run(Admission(plan, card.read), plan, card)
    next(steps)
    card.leave(0)
    if is_gpu:
        refused(steps)
    else:
        assert len(list(steps)) == 5


def test_the_refusal_has_the_figures(card: Card, plan: Plan) -> None:
    card.leave(300 * MIB)
    with pytest.raises(OutOfMemory) as caught:
        list(run(Admission(plan, card.read), plan, card))
    needed, had = (int(word) for word in caught.value.values["detail"].split() if word.isdigit())
    assert had == 300 * MIB
    assert int(caught.value.values[SHORT]) == needed - had > 0
