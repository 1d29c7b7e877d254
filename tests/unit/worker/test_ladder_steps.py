"""What is sent again after a failure, what is told, and what is remembered; without an engine."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from desktopapp.engine.commands import AnswerNow, Cancel, Command, Generate, LoadModel
from desktopapp.engine.events import (
    Channel,
    Event,
    Failed,
    ModelLoading,
    PrefillProgress,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.memory_events import IDLE_MODEL, SMALLER_CACHE, Retrying
from desktopapp.engine.price_events import Planned, PlannedParts, PlannedPhases
from desktopapp.engine.request import BegunAnswer, ModelChoice, Request, Role, Turn
from desktopapp.errors import FREED, SHORT, DoesNotFit, EngineDied, OutOfMemory, PromptTooLong
from desktopapp.worker.ladder import Ladder

GIB = 2**30
PLANNED = Planned(
    "r", "m", "transformers", "BF16", "GPU", 100, 100, 4096,
    PlannedParts(4 * GIB, GIB, GIB, GIB, GIB), PlannedPhases(7 * GIB, 9 * GIB, 8 * GIB),
    9 * GIB, 12 * GIB, True, "16bit", 2048,
)  # fmt: skip
SMALLER = replace(PLANNED, kv_type="int8", steps_taken=("kv_8bit",), reasons=("Eight bits.",))
OUT = Failed.from_error("r", OutOfMemory(what="reading the prompt", detail="x"))
GAVE_WAY = Failed.from_error("r", OutOfMemory(what="loading the model", detail="", **{FREED: "m-other"}))
DIED = Failed.from_error("r", EngineDied(what="writing the answer", detail="SIGABRT"))


def asked(ladder: Ladder, request_id: str = "r") -> None:
    ladder.prepare(Generate(Request(request_id, ModelChoice("m"), (Turn(Role.USER, "Hi"),))))


def begun(ladder: Ladder) -> None:
    asked(ladder)
    ladder.follow(PLANNED)


def after_death(
    ladder: Ladder, failures: list[Failed], *, aborted: bool
) -> tuple[list[Command], list[Event]]:
    after = ladder.after_death(failures, aborted=aborted)
    assert (after.steps_down, after.handed_on) == (bool(after.again), [])
    return after.again, after.told


def request_of(command: Command) -> Request:
    assert isinstance(command, Generate)
    return command.request


def test_the_phase_that_failed_is_capped_an_eighth_lower() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.follow(PrefillProgress("r", 10, 100))
    (again,) = ladder.step_down(OUT)
    (cap,) = request_of(again).choice.memory.caps
    assert (cap.backend, cap.device, cap.phase) == ("transformers", "GPU", "prefill")
    assert cap.below_bytes == 9 * GIB - (9 - 5) * GIB // 8 - PLANNED.parts.overhead


def test_each_phase_is_told_from_what_came_before() -> None:
    for event, phase in (
        (ModelLoading("m", "transformers", "weights"), "load"),
        (PrefillProgress("r", 100, 100), "decode"),
        (TextAdded("r", Channel.ANSWER, "a"), "decode"),
    ):
        ladder = Ladder()
        begun(ladder)
        ladder.follow(event)
        ladder.step_down(OUT)
        assert [cap.phase for cap in ladder.caps] == [phase]


def test_what_was_streamed_goes_along_and_the_step_is_told_once() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.follow(TextAdded("r", Channel.ANSWER, "It "))
    ladder.follow(TextAdded("r", Channel.ANSWER, "is"))
    (again,) = ladder.step_down(OUT)
    assert request_of(again).begun == BegunAnswer("", "It is")
    told = ladder.follow(SMALLER)
    assert told == [Retrying("r", 1, "reading the prompt", "kv_8bit", "Eight bits.", SMALLER), SMALLER]
    assert ladder.follow(SMALLER) == [SMALLER]


def test_an_abort_without_a_word_is_tried_again_once() -> None:
    ladder = Ladder()
    begun(ladder)
    assert after_death(ladder, [DIED], aborted=False) == ([], [DIED])
    begun(ladder)
    again, told = after_death(ladder, [DIED], aborted=True)
    assert (len(again), told) == (1, [])
    ladder.follow(SMALLER)
    assert after_death(ladder, [DIED], aborted=True) == ([], [DIED])


def test_what_only_waited_is_sent_again_as_it_was() -> None:
    ladder = Ladder()
    begun(ladder)
    asked(ladder, "later")
    waiting = Failed.from_error("later", EngineDied(what="starting", detail=""))
    again, told = after_death(ladder, [OUT, waiting], aborted=True)
    assert [request_of(one).request_id for one in again] == ["r", "later"]
    assert request_of(again[1]).begun is None
    assert told == []


def test_stop_ends_the_way_down_and_answer_now_goes_along() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.prepare(AnswerNow("r"))
    assert ladder.step_down(OUT)[1:] == [AnswerNow("r")]
    ladder.follow(SMALLER)
    ladder.prepare(Cancel("r"))
    assert ladder.step_down(OUT) == []


def test_caps_are_forgotten_once_more_is_free() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    ladder.follow(SMALLER)
    asked(ladder, "next")
    ladder.follow(replace(PLANNED, request_id="next", limit_bytes=13 * GIB))
    assert ladder.caps
    ladder.follow(replace(PLANNED, request_id="next", limit_bytes=14 * GIB))
    assert not ladder.caps


def test_the_end_has_figures_and_the_refusals_remedies() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    refused = DoesNotFit(
        model="m", needed_gib=8, limit_gib="12.00", missing_gib=1, device="GPU", remedies="Close it."
    )
    (told,) = ladder.follow(Failed.from_error("r", refused))
    assert isinstance(told, Failed)
    assert (told.error, told.remedy) == ("MemoryExhausted", "Close it.")
    assert (told.values["tries"], told.values["needed_gib"], told.values["limit_gib"]) == (
        "1",
        "9.00",
        "12.00",
    )
    assert not ladder.caps
    assert ladder.step_down(OUT) == []


def test_a_question_that_only_caps_rule_out_is_asked_without_them() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    asked(ladder, "next")
    refused = Failed.from_error(
        "next", DoesNotFit(model="m", needed_gib=8, limit_gib=12, missing_gib=1, device="GPU", remedies="")
    )
    (again,) = ladder.step_down(refused)
    assert request_of(again).choice.memory.caps == ()


def test_an_engine_that_dies_behind_its_message_loses_no_step() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.follow(TextAdded("r", Channel.ANSWER, "It is"))
    (first,) = ladder.step_down(OUT)
    again, told = after_death(ladder, [DIED], aborted=False)
    assert (again, told) == ([first], [])
    assert request_of(again[0]).begun == BegunAnswer("", "It is")
    assert request_of(again[0]).choice.memory.caps == ladder.caps
    assert after_death(ladder, [DIED], aborted=True) == ([], [DIED])


def test_behind_its_message_an_engine_dies_of_an_abort_as_well_and_answer_now_is_not_lost() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.prepare(AnswerNow("r"))
    ladder.step_down(OUT)
    ladder.follow(RequestStarted("r"))
    again, told = after_death(ladder, [DIED], aborted=True)
    assert (again[1:], told) == ([AnswerNow("r")], [])
    ladder.follow(SMALLER)
    assert after_death(ladder, [DIED], aborted=True) == ([], [DIED]), "two deaths without a word are enough"


def test_what_waits_before_it_is_not_what_the_engine_died_of() -> None:
    ladder = Ladder()
    begun(ladder)
    asked(ladder, "later")
    ladder.step_down(OUT)
    waiting = Failed.from_error("later", EngineDied(what="starting", detail=""))
    again, told = after_death(ladder, [waiting, DIED], aborted=False)
    assert [request_of(one).request_id for one in again] == ["r", "later"]
    assert told == []
    ladder.follow(RequestStarted("later"))
    again, told = after_death(ladder, [waiting, DIED], aborted=False)
    assert (again, told) == ([], [waiting, DIED]), "the one that ran has no plan to give up anything of"


def test_a_load_that_runs_out_goes_on_behind_the_request_that_waited() -> None:
    ladder = Ladder()
    ladder.prepare(LoadModel(ModelChoice("m")))
    ladder.follow(replace(PLANNED, request_id=""))
    ladder.follow(ModelLoading("m", "transformers", "weights"))
    asked(ladder)
    (load,) = ladder.step_down(replace(OUT, request_id=""))
    again, told = after_death(ladder, [DIED, replace(DIED, request_id="")], aborted=True)
    assert again[0] == load
    assert request_of(again[1]).request_id == "r"
    assert told == []


def test_an_idle_model_that_gave_way_costs_no_step() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.follow(TextAdded("r", Channel.ANSWER, "It is"))
    (again,) = ladder.step_down(GAVE_WAY)
    assert ladder.caps == request_of(again).choice.memory.caps == ()
    assert request_of(again).begun == BegunAnswer("", "It is")
    (retrying, planned) = ladder.follow(PLANNED)
    assert planned is PLANNED
    assert isinstance(retrying, Retrying)
    assert (retrying.step, retrying.what) == (IDLE_MODEL, "loading the model")
    assert "m-other" in retrying.reason
    (again,) = ladder.step_down(OUT)
    assert request_of(again).choice.memory.caps
    (retrying, _) = ladder.follow(SMALLER)
    assert isinstance(retrying, Retrying)
    assert retrying.step == "kv_8bit"


def test_an_idle_model_can_give_way_before_anything_was_planned() -> None:
    ladder = Ladder()
    asked(ladder)
    assert len(ladder.step_down(GAVE_WAY)) == 1
    assert ladder.step_down(OUT) == []


def test_a_shorter_cache_is_told_as_the_step_that_it_is() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    shorter = replace(PLANNED, parts=replace(PLANNED.parts, kv_cache=GIB // 2), context_tokens=1024)
    (retrying, _) = ladder.follow(shorter)
    assert isinstance(retrying, Retrying)
    assert (retrying.step, retrying.reason) == (
        SMALLER_CACHE,
        "There is room for 1,024 tokens instead of 4,096.",
    )


def test_a_shorter_cache_behind_another_step_is_not_told_as_that_one() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    ladder.follow(SMALLER)
    ladder.step_down(OUT)
    shorter = replace(SMALLER, parts=replace(SMALLER.parts, kv_cache=GIB // 2), context_tokens=1024)
    (retrying, _) = ladder.follow(shorter)
    assert isinstance(retrying, Retrying)
    assert retrying.step == SMALLER_CACHE


def test_an_idle_model_that_died_with_the_engine_is_no_more_in_the_way() -> None:
    beside = replace(PLANNED, idle_model="m-other")
    ladder = Ladder()
    asked(ladder)
    ladder.follow(beside)
    (again,), told = after_death(ladder, [OUT], aborted=True)
    assert (ladder.caps, told) == ((), [])
    (retrying, _) = ladder.follow(PLANNED)
    assert isinstance(retrying, Retrying)
    assert retrying.step == IDLE_MODEL
    assert request_of(again).choice.memory.caps == ()
    ladder.step_down(OUT)
    assert ladder.caps


def test_an_abort_beside_an_idle_model_is_tried_again_once_as_any_other() -> None:
    ladder = Ladder()
    asked(ladder)
    ladder.follow(replace(PLANNED, idle_model="m-other"))
    assert after_death(ladder, [DIED], aborted=False) == ([], [DIED])
    asked(ladder)
    ladder.follow(replace(PLANNED, idle_model="m-other"))
    again, _ = after_death(ladder, [DIED], aborted=True)
    assert len(again) == 1
    ladder.follow(PLANNED)
    assert after_death(ladder, [DIED], aborted=True) == ([], [DIED])


def test_of_a_long_job_the_step_is_told_and_not_its_parts() -> None:
    in_parts = (("segments",), ("In 4 parts.",))
    whole = replace(PLANNED, segments=4, steps_taken=in_parts[0], reasons=in_parts[1])
    for again_in_parts, part_again, step in (
        (whole, SMALLER, "kv_8bit"),
        (
            replace(whole, steps_taken=("kv_8bit", "segments"), reasons=("Eight bits.", "In 4 parts.")),
            SMALLER,
            "kv_8bit",
        ),
        (replace(whole, segments=6, reasons=("In 6 parts.",)), PLANNED, "segments"),
    ):
        ladder = Ladder()
        asked(ladder)
        assert ladder.follow(whole) == [whole]
        assert ladder.follow(PLANNED) == [PLANNED]
        ladder.step_down(OUT)
        told = [*ladder.follow(again_in_parts), *ladder.follow(part_again), *ladder.follow(part_again)]
        assert [event.step for event in told if isinstance(event, Retrying)] == [step]


def test_a_context_that_was_cut_down_for_memory_is_told_as_lack_of_it() -> None:
    ladder = Ladder()
    begun(ladder)
    too_long = Failed.from_error("r", PromptTooLong(tokens=260, limit=255))
    (told,) = ladder.follow(too_long)
    assert told is too_long
    begun(ladder)
    ladder.step_down(OUT)
    ladder.follow(SMALLER)
    (told,) = ladder.follow(too_long)
    assert isinstance(told, Failed)
    assert told.error == "MemoryExhausted"


@pytest.mark.parametrize("counted", [True, False])
def test_the_end_tells_what_could_be_had_when_others_took_memory_since_the_plan(*, counted: bool) -> None:
    ladder = Ladder()
    begun(ladder)
    missing = {SHORT: 2 * GIB} if counted else {}
    out = OutOfMemory(what="reading the prompt", detail="2 bytes needed, 1 had", **missing)
    ladder.step_down(Failed.from_error("r", out))
    refused = DoesNotFit(
        model="m", needed_gib="9.00", limit_gib="8.50", missing_gib="0.50", device="GPU", remedies=""
    )
    (told,) = ladder.follow(Failed.from_error("r", refused))
    assert isinstance(told, Failed)
    assert (told.values["needed_gib"], told.values["limit_gib"]) == ("9.00", "7.00" if counted else "8.50")
    assert "2 bytes needed, 1 had" in told.details


def test_the_end_says_which_part_takes_what_where_no_plan_refused_it() -> None:
    ladder = Ladder()
    begun(ladder)
    ladder.step_down(OUT)
    ladder.follow(SMALLER)
    (told,) = ladder.follow(OUT)
    assert isinstance(told, Failed)
    assert told.error == "MemoryExhausted"
    assert msgspec.json.decode(told.values["parts"], type=PlannedParts) == SMALLER.parts
