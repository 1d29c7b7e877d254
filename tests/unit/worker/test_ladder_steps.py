"""What is sent again after a failure, what is told, and what is remembered; without an engine."""

from __future__ import annotations

from dataclasses import replace

from desktopapp.engine.commands import AnswerNow, Cancel, Command, Generate
from desktopapp.engine.events import Channel, Failed, ModelLoading, PrefillProgress, TextAdded
from desktopapp.engine.memory_events import Retrying
from desktopapp.engine.price_events import Planned, PlannedParts, PlannedPhases
from desktopapp.engine.request import BegunAnswer, ModelChoice, Request, Role, Turn
from desktopapp.errors import DoesNotFit, EngineDied, OutOfMemory
from desktopapp.worker.ladder import Ladder

GIB = 2**30
PLANNED = Planned(
    "r", "m", "transformers", "BF16", "GPU", 100, 100, 4096,
    PlannedParts(4 * GIB, GIB, GIB, GIB, GIB), PlannedPhases(7 * GIB, 9 * GIB, 8 * GIB),
    9 * GIB, 12 * GIB, True, "16bit", 2048,
)  # fmt: skip
SMALLER = replace(PLANNED, kv_type="int8", steps_taken=("kv_8bit",), reasons=("Eight bits.",))
OUT = Failed.from_error("r", OutOfMemory(what="reading the prompt", detail="x"))
DIED = Failed.from_error("r", EngineDied(what="writing the answer", detail="SIGABRT"))


def asked(ladder: Ladder, request_id: str = "r") -> None:
    ladder.prepare(Generate(Request(request_id, ModelChoice("m"), (Turn(Role.USER, "Hi"),))))


def begun(ladder: Ladder) -> None:
    asked(ladder)
    ladder.follow(PLANNED)


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
    assert cap.below_bytes == 9 * GIB - (9 - 5) * GIB // 8


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
    assert ladder.after_death([DIED], aborted=False) == ([], [DIED])
    begun(ladder)
    again, told = ladder.after_death([DIED], aborted=True)
    assert (len(again), told) == (1, [])
    ladder.follow(SMALLER)
    assert ladder.after_death([DIED], aborted=True) == ([], [DIED])


def test_what_only_waited_is_sent_again_as_it_was() -> None:
    ladder = Ladder()
    begun(ladder)
    asked(ladder, "later")
    waiting = Failed.from_error("later", EngineDied(what="starting", detail=""))
    again, told = ladder.after_death([OUT, waiting], aborted=True)
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
        model="m", needed_gib=8, limit_gib=12, missing_gib=1, device="GPU", remedies="Close it."
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
