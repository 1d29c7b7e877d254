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
from desktopapp.engine.memory.steps import (
    LAST_RESORTS,
    WITHIN_MODEL,
    Setup,
    Step,
    choices,
    first_setup,
    undone,
)
from desktopapp.engine.request import MemoryLimits

_CONTEXT_STEP = 1024


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
        steps: that were taken, in the order of `Step`.
        context_tokens: longest prompt and answer within the limit.
    """

    setup: Setup
    first: Setup
    content: Content
    estimate: Estimate
    limit_bytes: int
    steps: tuple[Step, ...]
    context_tokens: int

    @property
    def fits(self) -> bool:
        """Whether the peak is within the limit."""
        return self.estimate.peak_bytes <= self.limit_bytes

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
        return max(0, self.estimate.peak_bytes - self.limit_bytes)


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
    for other in alternatives:
        search = _Search(other.candidate, content, limits, (other.step,))
        if (found := search.relax(WITHIN_MODEL)) is not None:
            return found
    return wanted.relax(LAST_RESORTS) or wanted.plan()


def estimate_setup(setup: Setup, content: Content) -> Estimate:
    """The memory that a setup takes."""
    costs = setup.candidate.costs(setup.placement)
    return estimate(costs, content.workload(setup.showing), setup.run)


def limit_for(candidate: Candidate, limits: MemoryLimits) -> int:
    """Bytes of a candidate's device that may be used: what is free, or the ceiling where that is lower."""
    free = candidate.device.free_bytes
    return free if limits.vram_limit_bytes is None else min(free, limits.vram_limit_bytes)


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
        self._limit_bytes = limit_for(candidate, limits)
        self._given = taken
        self._steps: list[Step] = []
        self._first = self._setup = first_setup(candidate, content, limits, placement)
        self._peak = self._peak_of(self._setup)

    def relax(self, steps: Iterable[Step]) -> Plan | None:
        """Take steps until it fits; None where it does not even with all of them."""
        if self._peak <= self._limit_bytes:
            return self.plan()
        for step in steps:
            if self._take(step):
                self._take_back()
                return self.plan()
        return None

    def plan(self) -> Plan:
        """As it stands."""
        return Plan(
            setup=self._setup,
            first=self._first,
            content=self._content,
            estimate=estimate_setup(self._setup, self._content),
            limit_bytes=self._limit_bytes,
            steps=(*self._given, *self._steps),
            context_tokens=self._longest_context(),
        )

    def _take(self, step: Step) -> bool:
        """Go on to the last choice of a step that lowers the peak, or to the first that fits."""
        begin = self._peak
        for setup in choices(step, self._setup, self._content, self._limits):
            peak = self._peak_of(setup)
            if peak < self._peak:
                self._setup, self._peak = setup, peak
                if peak <= self._limit_bytes:
                    break
        if self._peak < begin:
            self._steps.append(step)
            if step is Step.KV_4BIT and Step.KV_8BIT in self._steps:
                self._steps.remove(Step.KV_8BIT)  # it was only on the way
        return self._peak <= self._limit_bytes

    def _take_back(self) -> None:
        for step in self._steps[-2::-1]:
            setup = undone(step, self._setup, self._first)
            if (peak := self._peak_of(setup)) <= self._limit_bytes:
                self._setup, self._peak = setup, peak
                self._steps.remove(step)

    def _peak_of(self, setup: Setup) -> int:
        return estimate_setup(setup, self._content).peak_bytes

    def _longest_context(self) -> int:
        """Prompt and answer can grow to this; at least what was asked for."""
        needed = self._content.workload(self._setup.showing).total_tokens
        most = self._setup.candidate.spec.text.context_tokens
        fitting, failing = needed, most + 1
        if needed >= most or self._peak > self._limit_bytes:
            return needed
        while failing - fitting > _CONTEXT_STEP:
            middle = (fitting + failing) // 2
            if self._fits_with(middle - needed):
                fitting = middle
            else:
                failing = middle
        return fitting

    def _fits_with(self, more_tokens: int) -> bool:
        content = Content(
            self._content.items, self._content.answer_tokens + more_tokens, self._content.needs_detail
        )
        return estimate_setup(self._setup, content).peak_bytes <= self._limit_bytes
