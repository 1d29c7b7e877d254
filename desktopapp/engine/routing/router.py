"""Which of a pair of models answers: the task decides, then what a switch would cost."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from desktopapp.engine.media.kind import MediaKind
from desktopapp.engine.routing.features import extract_features
from desktopapp.engine.routing.logistic import default_model, probability
from desktopapp.modelstore.model import ModelKind

THINKING_LOG_ODDS = 0.1
"""An answer of Thinking takes several times as long: what is as good as a tie, up to 52.5 %, goes to Instruct."""

FOLLOW_UP_LOG_ODDS = 2.0
"""A conversation changes its model only beyond this, about 88 %: the task has clearly changed."""

OWN_FILES_LOG_ODDS = 0.5
"""Likewise, about 65 %, for a question that brings files and names a task: it is less of a follow-up, but the other model has
to read the conversation anew."""

# A swap of ten seconds outweighs a call as close as 73 %; no swap outweighs a clear one.
_LOG_ODDS_PER_SWAP_S = 0.1
_MOST_SWAP_LOG_ODDS = 1.0

_FIRST = "first:"
_FIRST_COUNTS = 4.0


class Task(StrEnum):
    """What a request asks for, as the reason of a choice."""

    PROOF = "proof"
    SUM = "multi-step sum"
    CAUSE = "cause and effect"
    COMPARISON = "comparison"
    PLAN = "planning"
    DEBUGGING = "debugging"
    CHECK = "checking"
    DECISION = "decision"
    REASONING = "reasoning in steps"
    PUZZLE = "puzzle"
    ANALYSIS = "analysis"
    PROGRAMMING = "programming"
    READING = "reading"
    PLACES = "places in the picture"
    TRANSLATION = "translation"
    EXTRACTION = "extraction"
    DESCRIPTION = "description"
    WRITING = "writing"
    FACT = "plain question"
    LOOKING = "looking"
    CHAT = "chat"
    MOMENT = "time in a video"


_TASKS: Mapping[str, Task] = {
    "prove": Task.PROOF,
    "compute": Task.SUM,
    "amount": Task.SUM,
    "numbers:sum": Task.SUM,
    "cause": Task.CAUSE,
    "compare": Task.COMPARISON,
    "several:compare": Task.COMPARISON,
    "plan": Task.PLAN,
    "debug": Task.DEBUGGING,
    "verify": Task.CHECK,
    "decide": Task.DECISION,
    "reason": Task.REASONING,
    "condition": Task.REASONING,
    "relation": Task.REASONING,
    "method": Task.REASONING,
    "feasible": Task.REASONING,
    "puzzle": Task.PUZZLE,
    "analyse": Task.ANALYSIS,
    "algorithm": Task.PROGRAMMING,
    "code": Task.PROGRAMMING,
    "read": Task.READING,
    "no_solving": Task.READING,
    "locate": Task.PLACES,
    "translate": Task.TRANSLATION,
    "extract": Task.EXTRACTION,
    "describe": Task.DESCRIPTION,
    "rewrite": Task.WRITING,
    "fact": Task.FACT,
    "perceive": Task.LOOKING,
    "chat": Task.CHAT,
    "moment": Task.MOMENT,
}


class RouteCause(StrEnum):
    """What settled a choice."""

    TASK = "task"
    FOLLOW_UP = "follow-up"
    RESIDENT = "resident"
    ONLY_ONE = "only one"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Situation:
    """What a choice would cost.

    Args:
        installed: kinds of the pair that can be used; at least one.
        resident: kinds that are loaded.
        swap_s: seconds that loading the other one takes, as measured or estimated; 0 where both are loaded.
        previous: the kind that gave the conversation's last answer; None for a first question.
    """

    installed: Collection[ModelKind] = (ModelKind.INSTRUCT, ModelKind.THINKING)
    resident: Collection[ModelKind] = ()
    swap_s: float = 0.0
    previous: ModelKind | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A choice.

    Args:
        kind: which model answers.
        probability: 0..1, that Thinking is the better one for this task, whatever a switch costs.
        cause: what settled it.
        task: what the request asks for, as far as it decided; None where no word told.
    """

    kind: ModelKind
    probability: float
    cause: RouteCause
    task: Task | None

    @property
    def reason(self) -> str:
        """In a few English words."""
        task = self.task.value if self.task else "no sign of several steps"
        if self.cause is RouteCause.TASK:
            return task
        if self.cause is RouteCause.FOLLOW_UP:
            return "stays with the model of this conversation"
        if self.cause is RouteCause.RESIDENT:
            return f"{task}; a close call, and this model is loaded"
        return "only this one is installed" if self.cause is RouteCause.ONLY_ONE else "as asked"


DEFAULT_SITUATION = Situation()


def route(text: str, media: Sequence[MediaKind] = (), situation: Situation = DEFAULT_SITUATION) -> Route:
    """Choose the model for a question.

    Args:
        text: the question.
        media: its attachments.
        situation: what is here and loaded.
    """
    model = default_model()
    features = extract_features(text, media)
    log_odds = model.log_odds(features)
    contributions = model.contributions(features)
    named = _task(contributions, by_task_alone(log_odds))
    needed = _to_leave(named, situation, log_odds, brings_files=bool(media))
    kind, cause = _choose(log_odds, situation, needed)
    task = _task(contributions, kind)
    if task is None and kind is by_task_alone(log_odds) is ModelKind.THINKING:
        task = _task_by_signs(features)
    return Route(kind, probability(log_odds), cause, task)


def _to_leave(named: Task | None, situation: Situation, log_odds: float, *, brings_files: bool) -> float:
    """How clear a task has to be, in log-odds, for a conversation to change its model."""
    says_a_task = named not in (None, Task.CHAT)
    if by_task_alone(log_odds) is ModelKind.INSTRUCT and not says_a_task:
        return math.inf  # “Are you sure?” and “Go on” name no task: the one before goes on
    if brings_files and says_a_task:
        return max(OWN_FILES_LOG_ODDS, _swap_log_odds(situation))
    return FOLLOW_UP_LOG_ODDS


def _swap_log_odds(situation: Situation) -> float:
    return min(situation.swap_s * _LOG_ODDS_PER_SWAP_S, _MOST_SWAP_LOG_ODDS)


def _choose(log_odds: float, situation: Situation, to_leave: float) -> tuple[ModelKind, RouteCause]:
    if len(situation.installed) == 1:
        return next(iter(situation.installed)), RouteCause.ONLY_ONE
    by_task, margin = by_task_alone(log_odds), abs(log_odds - THINKING_LOG_ODDS)
    if situation.previous is not None and by_task is not situation.previous:
        if margin <= to_leave:
            return situation.previous, RouteCause.FOLLOW_UP
        return by_task, RouteCause.TASK
    is_swap = situation.resident and by_task not in situation.resident and situation.previous is None
    if is_swap and margin < _swap_log_odds(situation):
        return next(iter(situation.resident)), RouteCause.RESIDENT
    return by_task, RouteCause.TASK


def by_task_alone(log_odds: float) -> ModelKind:
    """The model that a task is worth, whatever is loaded.

    Args:
        log_odds: that Thinking is the better one.
    """
    return ModelKind.THINKING if log_odds > THINKING_LOG_ODDS else ModelKind.INSTRUCT


def _task(contributions: Mapping[str, float], kind: ModelKind) -> Task | None:
    """The task whose words spoke most for a kind."""
    sign = 1 if kind is ModelKind.THINKING else -1
    votes: dict[Task, float] = {}
    for name, value in contributions.items():
        task = _TASKS.get(name.removeprefix(_FIRST))
        if task is not None:
            # A request's first verb names its task best.
            weight = _FIRST_COUNTS if name.startswith(_FIRST) else 1.0
            votes[task] = votes.get(task, 0.0) + sign * value * weight
    # “Prove it, step by step” is a proof: reasoning is named where nothing else is.
    named = [task for task, vote in votes.items() if vote > 0 and task is not Task.REASONING]
    if not named and votes.get(Task.REASONING, 0.0) > 0:
        return Task.REASONING
    return max(named, key=lambda task: votes[task], default=None)


def _task_by_signs(features: Mapping[str, float]) -> Task:
    """The task of a request for Thinking that no verb names."""
    if features.get("code", 0.0) == 1.0:  # not one semicolon
        return Task.PROGRAMMING
    counts = "numbers" in features or "operators" in features
    return Task.SUM if counts and "mathematics" not in features else Task.REASONING
