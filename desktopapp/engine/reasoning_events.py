"""What the engine says of the choice between two models and of thoughts; see `events.py`, which has all the others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktopapp.engine.events import Event


@dataclass(frozen=True, slots=True)
class Routed(Event):
    """Which of a pair of models answers a request, and why.

    Args:
        request_id: the request.
        model: its name.
        mode: `instruct` or `thinking`, what answers.
        probability: 0..1, that Thinking is the better one for this task.
        cause: a value of `routing.router.RouteCause`, what settled it.
        task: a value of `routing.router.Task`, what the request asks for; empty where no word told.
        swap_s: seconds that changing the model is expected to take, as measured before or estimated from its
            size; 0 where it is loaded.
        has_other: the other one of the pair can be asked as well.
    """

    request_id: str
    model: str
    mode: str
    probability: float
    cause: str
    task: str
    swap_s: float = 0.0
    has_other: bool = False


class StepKind(StrEnum):
    """What a step of staged reasoning is for."""

    THINK = "think"
    CHECK = "check"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """A step of staged reasoning begins; the KV cache of the one before it was cut back to the question.

    Args:
        request_id: the request.
        step: its number, from 1.
        max_steps: most steps that think.
        kind: what it is for.
    """

    request_id: str
    step: int
    max_steps: int
    kind: StepKind


@dataclass(frozen=True, slots=True)
class ThoughtProgress(Event):
    """How long the thought is; comes a few times a second while it grows.

    Args:
        request_id: the request.
        tokens: of all thought so far.
        budget_tokens: most that it may become.
    """

    request_id: str
    tokens: int
    budget_tokens: int


class ThoughtEnd(StrEnum):
    """Why a thought ended."""

    MODEL = "model"
    BUDGET = "budget"
    LOOP = "loop"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class ThoughtEnded(Event):
    """A thought is closed, and what comes next is the answer (in staged reasoning the step's notes).

    Args:
        request_id: the request.
        tokens: of all thought so far.
        reason: by the model itself, or why it was closed for it.
    """

    request_id: str
    tokens: int
    reason: ThoughtEnd
