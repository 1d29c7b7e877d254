"""What goes to the next engine because the last one ended before it took it up; without an engine."""

from __future__ import annotations

import pytest

from desktopapp.engine.commands import AnswerNow, Cancel, Generate, LoadModel
from desktopapp.engine.events import Event, Failed, ModelLoading, RequestStarted
from desktopapp.engine.request import ModelChoice, Request, Role, Turn
from desktopapp.errors import EngineDied
from desktopapp.worker.ladder import Ladder
from tests.unit.worker.test_ladder_steps import OUT, PLANNED, SMALLER

LOADING = ModelLoading("m", "transformers", "weights")


def command(request_id: str) -> Generate:
    return Generate(Request(request_id, ModelChoice("m"), (Turn(Role.USER, "Hi"),)))


def died(*request_ids: str) -> list[Failed]:
    error = EngineDied(what="starting", detail="SIGKILL")
    return [Failed.from_error(request_id, error) for request_id in request_ids]


def ladder_with(*request_ids: str) -> Ladder:
    ladder = Ladder()
    for request_id in request_ids:
        ladder.prepare(command(request_id) if request_id else LoadModel(ModelChoice("m")))
    return ladder


def test_what_was_not_taken_up_goes_on_as_it_is_in_order_and_once() -> None:
    ladder = ladder_with("a", "b")
    after = ladder.after_death(died("a", "b"), aborted=False)
    assert after.again == [command("a"), command("b")]
    assert (after.handed_on, after.told, after.steps_down) == (["a", "b"], [], False)
    again = ladder.after_death(died("a", "b"), aborted=False)
    assert (again.again, again.handed_on, again.told) == ([], [], died("a", "b"))


@pytest.mark.parametrize("begun", [RequestStarted("a"), PLANNED], ids=["started", "planned"])
def test_what_it_died_of_ends_and_what_waited_goes_on(begun: Event) -> None:
    first = "a" if isinstance(begun, RequestStarted) else "r"
    ladder = ladder_with(first, "later")
    ladder.follow(begun)
    after = ladder.after_death(died(first, "later"), aborted=False)
    assert after.told == died(first)
    assert (after.again, after.handed_on) == ([command("later")], ["later"])
    ladder.follow(RequestStarted("later"))
    assert ladder.after_death(died("later"), aborted=False).told == died("later")


def test_a_load_goes_on_where_it_had_not_begun() -> None:
    ladder = ladder_with("")
    after = ladder.after_death(died(""), aborted=False)
    assert after.again == [LoadModel(ModelChoice("m"))]
    assert (after.handed_on, after.told) == ([], [])
    ladder = ladder_with("")
    ladder.follow(LOADING)
    assert ladder.after_death(died(""), aborted=False).told == died("")


def test_a_load_that_killed_the_engine_ends_and_the_question_behind_it_goes_on() -> None:
    ladder = ladder_with("", "a")
    ladder.follow(LOADING)
    after = ladder.after_death(died("", "a"), aborted=True)
    assert (after.told, after.handed_on) == (died(""), ["a"])


def test_a_step_down_is_no_handing_on() -> None:
    ladder = ladder_with("r", "later")
    ladder.follow(PLANNED)
    after = ladder.after_death([OUT, *died("later")], aborted=True)
    assert (after.steps_down, after.handed_on, len(after.again)) == (True, [], 2)
    ladder.follow(RequestStarted("r"))
    ladder.follow(SMALLER)
    after = ladder.after_death(died("r", "later"), aborted=False)
    assert (after.told, after.handed_on) == (died("r"), ["later"])


def test_stopped_is_not_handed_on_and_answer_now_goes_along() -> None:
    ladder = ladder_with("a", "b")
    ladder.prepare(Cancel("a"))
    ladder.prepare(AnswerNow("b"))
    after = ladder.after_death(died("a", "b"), aborted=False)
    assert after.told == died("a")
    assert after.again == [command("b"), AnswerNow("b")]
