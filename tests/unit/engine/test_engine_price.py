"""What the engine says of a draft."""

from desktopapp.engine.engine import Engine
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.price_events import Planned, PlannedParts, PlannedPhases
from desktopapp.engine.request import ModelChoice, Request, Role, Turn
from desktopapp.engine.steps import StepClock
from desktopapp.errors import ModelNotFound
from desktopapp.modelstore import store


def draft(model: str) -> Request:
    return Request("draft", ModelChoice(model), (Turn(Role.USER, "?"),))


PLANNED = Planned(
    request_id="draft",
    model="here",
    backend="fake",
    precision="none",
    device="System memory",
    prompt_tokens=9,
    answer_tokens=10,
    context_tokens=99,
    parts=PlannedParts(1, 2, 3, 4, 5),
    phases=PlannedPhases(0, 12, 11),
    peak_bytes=12,
    limit_bytes=20,
    fits=True,
    kv_type="16bit",
    prefill_chunk=64,
)


class Planner:
    def plan_draft(self, request: Request, headers: HeaderCache) -> Planned | None:
        if request.choice.model != "here":
            raise ModelNotFound(name=request.choice.model)
        return PLANNED


def test_a_plan_is_the_price() -> None:
    assert Engine(store, {}, StepClock(), Planner()).price_draft(draft("here")) == PLANNED


def test_a_model_that_is_not_here_has_no_price() -> None:
    assert Engine(store, {}, StepClock(), Planner()).price_draft(draft("gone")) is None


def test_without_a_planner_there_is_no_price() -> None:
    assert Engine(store, {}, StepClock()).price_draft(draft("here")) is None
