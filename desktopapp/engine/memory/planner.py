"""Chooses how a request runs within a limit of memory, with the least loss.

It begins without any loss and takes step after step (`steps.Step`) until the estimate fits, keeping what each step
brought. Then it takes back every step that turns out not to be needed, the one that hurts most first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktopapp.engine.memory.candidate import WHOLE_MODEL, Candidate, Placement
from desktopapp.engine.memory.content import Content
from desktopapp.engine.memory.costs import Estimate, estimate
from desktopapp.engine.memory.phase_limits import PhaseLimits, device_limit, phase_limits
from desktopapp.engine.memory.steps import (
    FALLING,
    LAST_RESORTS,
    WITHIN_MODEL,
    Setup,
    Step,
    choices,
    first_setup,
    undone,
)
from desktopapp.engine.request import MemoryLimits

_CONTEXT_STEP = 16
# A plan counts the tokens of a template by rule; the prompt may be so much longer.
_SLACK_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another model, or another form of it, that is installed.

    Args:
        step: what taking it gives up.
        candidate: it.
    """

    step: Step
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Plan:
    """How a request runs.

    Args:
        setup: everything that was chosen.
        first: what would have been without a limit, with the same model.
        content: of the request.
        estimate: of its memory.
        limit_bytes: of the device that it runs on.
        phase_limits: of each phase: that, or less where one ran out of memory before.
        steps: that were taken, in the order of `Step`.
        context_tokens: longest prompt and answer within the limit.
    """

    setup: Setup
    first: Setup
    content: Content
    estimate: Estimate
    limit_bytes: int
    phase_limits: PhaseLimits
    steps: tuple[Step, ...]
    context_tokens: int

    @property
    def fits(self) -> bool:
        """Whether every phase is within its limit."""
        return not self.shortfall_bytes

    @property
    def model_context_tokens(self) -> int:
        """Longest prompt plus answer that the model was made for."""
        return self.setup.candidate.spec.text.context_tokens

    @property
    def excess_tokens(self) -> int:
        """What prompt and answer are longer than the model's own context; 0 where it holds them."""
        prompt_tokens = self.content.workload(self.setup.showing).prompt_tokens
        return max(0, prompt_tokens + self.content.least_answer_tokens - self.model_context_tokens)

    @property
    def shortfall_bytes(self) -> int:
        """That are missing; 0 where it fits."""
        return max(0, self.phase_limits.excess_bytes(self.estimate))


def make_plan(
    candidate: Candidate,
    content: Content,
    limits: MemoryLimits,
    alternatives: Iterable[Alternative] = (),
    placement: Placement = WHOLE_MODEL,
) -> Plan:
    """Plan a request.

    Args:
        candidate: the model that was asked for.
        content: of the request.
        limits: what the person allows and decided.
        alternatives: what may answer instead, the least loss first; asked for only where the model does not fit.
        placement: to begin with.

    Returns:
        The first plan that fits; else the smallest of the wanted model, which does not.
    """
    wanted = _Search(candidate, content, limits, placement=placement)
    found = wanted.relax(WITHIN_MODEL)
    if found is not None:
        return found
    same_model = [wanted]
    for other in alternatives:
        search = _Search(other.candidate, content, limits, (other.step,))
        if (found := search.relax(WITHIN_MODEL)) is not None:
            return found
        if other.step is not Step.SMALLER_MODEL:
            same_model.append(search)
    for step in LAST_RESORTS:
        for search in same_model:
            if (found := search.relax((step,))) is not None:
                return found
    return wanted.plan()


def estimate_setup(setup: Setup, content: Content, context_tokens: int = 0) -> Estimate:
    """The memory that a setup takes.

    Args:
        setup: it.
        content: of the request.
        context_tokens: that there may be room for, where a backend makes room ahead; 0 for what is needed only.
    """
    costs = setup.candidate.costs(setup.placement, context_tokens)
    return estimate(costs, content.workload(setup.showing), setup.run)


class _Search:
    """One model's way down the steps."""

    def __init__(
        self,
        candidate: Candidate,
        content: Content,
        limits: MemoryLimits,
        taken: tuple[Step, ...] = (),
        placement: Placement = WHOLE_MODEL,
    ) -> None:
        self._content = content
        self._limits = limits
        self._limit_bytes = device_limit(candidate, limits)
        self._phase_limits = phase_limits(candidate, limits)
        self._given = taken
        self._steps: list[Step] = []
        self._first = self._setup = first_setup(candidate, content, limits, placement)
        self._excess = self._excess_of(self._setup)

    def relax(self, steps: Iterable[Step]) -> Plan | None:
        """Take steps until it fits; None where it does not even with all of them."""
        if self._excess <= 0:
            return self.plan()
        for step in steps:
            if self._take(step):
                self._take_back()
                return self.plan()
        return None

    def plan(self) -> Plan:
        """As it stands; where memory allows, with the room that the backend makes ahead."""
        context_tokens = self._longest_context()
        return Plan(
            setup=self._setup,
            first=self._first,
            content=self._content,
            estimate=estimate_setup(self._setup, self._content, context_tokens),
            limit_bytes=self._limit_bytes,
            phase_limits=self._phase_limits,
            steps=(*self._given, *self._steps),
            context_tokens=context_tokens,
        )

    def _take(self, step: Step) -> bool:
        """Go on to the last choice of a step that lowers the excess, or to the first that fits."""
        begin = self._excess
        offered = list(choices(step, self._setup, self._content, self._limits))
        if step in FALLING and len(offered) > 1 and self._excess_of(offered[-1]) > 0:
            offered = offered[-1:]  # none of the others fits either
        for setup in offered:
            excess = self._excess_of(setup)
            if excess < self._excess:
                self._setup, self._excess = setup, excess
                if excess <= 0:
                    break
        if self._excess < begin:
            self._steps.append(step)
            if step is Step.KV_4BIT and Step.KV_8BIT in self._steps:
                self._steps.remove(Step.KV_8BIT)  # it was only on the way
        return self._excess <= 0

    def _take_back(self) -> None:
        for step in self._steps[-2::-1]:
            setup = undone(step, self._setup, self._first)
            if (excess := self._excess_of(setup)) <= 0:
                self._setup, self._excess = setup, excess
                self._steps.remove(step)

    def _excess_of(self, setup: Setup) -> int:
        """By how much the worst phase is over its limit; below 0 by how much the tightest one is under it."""
        return self._phase_limits.excess_bytes(estimate_setup(setup, self._content))

    def _longest_context(self) -> int:
        """Prompt and answer can grow to this; at least what was asked for."""
        needed = self._content.workload(self._setup.showing).total_tokens
        most = self._setup.candidate.spec.text.context_tokens
        fitting, failing = needed, most + 1
        if needed >= most or self._excess > 0:
            return needed
        workload, setup = self._content.workload(self._setup.showing), self._setup
        while failing - fitting > _CONTEXT_STEP:
            middle = (fitting + failing) // 2
            grown = workload.answered_with(middle - workload.prompt_tokens)
            costs = setup.candidate.costs(setup.placement, middle)  # no room is made ahead beyond that
            if self._phase_limits.excess_bytes(estimate(costs, grown, setup.run)) <= 0:
                fitting = middle
            else:
                failing = middle
        if self._limits.caps and setup.candidate.makes_room_ahead:
            # What could not be allocated shrinks to what is needed in a few tries, not by an eighth in each of many.
            return max(needed + (fitting - needed) // 2, min(needed + _SLACK_TOKENS, fitting))
        return fitting
