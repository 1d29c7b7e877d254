"""What ran out of memory once is planned with less, by the step that lowers that very phase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktopapp.engine.memory.calibration import Corrections
from desktopapp.engine.memory.content import Content, Still
from desktopapp.engine.memory.costs import Estimate
from desktopapp.engine.memory.planner import Plan, make_plan
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.request import MemoryLimits, PhaseCap
from tests.unit.engine.memory.test_planner import LAYERED, SCREEN, on_gpu

CONTENT = Content((SCREEN, 8000), 2048)
PHOTO = Content((Still("/a/photo.jpg", (4032, 3008)), 200), 2048)


def phase_bytes(phase: str, estimate: Estimate) -> int:
    if phase == "load":
        return estimate.parts.weights + estimate.parts.overhead
    return int(getattr(estimate.phases, phase))


def capped(plan: Plan, phase: str, *, device: str = "GPU", backend: str = "transformers") -> MemoryLimits:
    return MemoryLimits(caps=(PhaseCap(backend, device, phase, counted(phase, plan)),))


def counted(phase: str, plan: Plan) -> int:
    """What a cap is made of: the runtime's overhead, which no plan lowers, is no part of it."""
    return phase_bytes(phase, plan.estimate) - plan.estimate.parts.overhead


@pytest.mark.parametrize(
    ("phase", "content", "step"),
    [
        ("prefill", CONTENT, Step.SMALLER_CHUNK),
        ("decode", CONTENT, Step.KV_8BIT),
        ("vision", PHOTO, Step.KV_8BIT),
    ],
)
def test_the_next_step_is_the_first_that_helps_where_it_ran_out(
    tmp_path: Path, phase: str, content: Content, step: Step
) -> None:
    candidate = on_gpu(40, tmp_path)
    before = make_plan(candidate, content, MemoryLimits())
    assert before.steps == ()
    after = make_plan(candidate, content, capped(before, phase))
    assert after.fits
    assert after.steps == (step,)
    assert phase_bytes(phase, after.estimate) < phase_bytes(phase, before.estimate)


def test_each_further_cap_goes_one_step_down_and_nothing_is_planned_twice(tmp_path: Path) -> None:
    candidate, limits = on_gpu(40, tmp_path), MemoryLimits()
    setups = []
    plan = make_plan(candidate, PHOTO, limits)
    while plan.fits and len(setups) < 200:
        assert plan.setup not in setups
        setups.append(plan.setup)
        cap = PhaseCap("transformers", "GPU", "vision", counted("vision", plan))
        limits = MemoryLimits(caps=(*limits.caps, cap))
        plan = make_plan(candidate, PHOTO, limits)
    assert not plan.fits
    assert len(setups) > 5
    assert plan.shortfall_bytes > 0


@pytest.mark.parametrize("overhead_gib", [0.5, 3])
def test_what_ran_out_stays_ruled_out_when_the_runtime_is_found_to_take_less_or_more(
    tmp_path: Path, overhead_gib: float
) -> None:
    candidate = on_gpu(40, tmp_path)
    before = make_plan(candidate, CONTENT, MemoryLimits())
    learnt = replace(candidate, corrections=Corrections(round(overhead_gib * 2**30)))
    after = make_plan(learnt, CONTENT, capped(before, "decode"))
    assert after.steps == (Step.KV_8BIT,)


def test_no_step_within_a_model_lowers_what_its_weights_take(tmp_path: Path) -> None:
    candidate = on_gpu(40, tmp_path)
    plan = make_plan(candidate, CONTENT, MemoryLimits())
    assert not make_plan(candidate, CONTENT, capped(plan, "load")).fits


@pytest.mark.parametrize(("device", "backend"), [("System memory", "transformers"), ("GPU", "llama.cpp")])
def test_a_cap_is_of_its_own_device_and_backend(tmp_path: Path, device: str, backend: str) -> None:
    candidate = on_gpu(40, tmp_path)
    plan = make_plan(candidate, CONTENT, MemoryLimits())
    assert make_plan(candidate, CONTENT, capped(plan, "prefill", device=device, backend=backend)).steps == ()


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_room_that_is_made_ahead_goes_first_and_in_a_few_tries(tmp_path: Path, phase: str) -> None:
    candidate, content = on_gpu(24, tmp_path, capabilities=LAYERED), Content((SCREEN, 100), 500)
    needed = content.workload(make_plan(candidate, content, MemoryLimits()).setup.showing).total_tokens
    plan, limits = make_plan(candidate, content, MemoryLimits()), MemoryLimits()
    rooms = []
    while not plan.steps:
        rooms.append(plan.context_tokens)
        phase_now = counted(phase, plan)
        least = (phase_now - plan.estimate.parts.weights) // 8
        cap = PhaseCap("llama.cpp", "GPU", phase, phase_now - least)
        limits = MemoryLimits(caps=(*limits.caps, cap))
        plan = make_plan(candidate, content, limits)
    assert 2 < len(rooms) < 6
    assert rooms == sorted(set(rooms), reverse=True)
    assert rooms[1] > 1.5 * needed, "one failure is no reason to leave no room for the next question"
