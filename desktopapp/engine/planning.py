"""Plans each request with the memory that is free now, before and after its model is loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from desktopapp.engine.backend import TokenCounter
from desktopapp.engine.chat_prompt import ChatMedia
from desktopapp.engine.collaborators import ModelStore
from desktopapp.engine.events import Stats
from desktopapp.engine.loading import RunningModel
from desktopapp.engine.memory.answer_room import EXPECTED_ANSWER_TOKENS
from desktopapp.engine.memory.asking import (
    CountTokens,
    content_of_headers,
    content_of_media,
)
from desktopapp.engine.memory.calibration import Calibration
from desktopapp.engine.memory.candidate import Candidate
from desktopapp.engine.memory.choosing import Chooser
from desktopapp.engine.memory.conflicts import find_conflicts
from desktopapp.engine.memory.content import SCREENSHOT, Content
from desktopapp.engine.memory.detail import needs_detail
from desktopapp.engine.memory.heap import give_back_freed
from desktopapp.engine.memory.kept import Kept
from desktopapp.engine.memory.machine import Machine, read_machine
from desktopapp.engine.memory.planner import Alternative, make_plan
from desktopapp.engine.memory.remedies import find_remedies
from desktopapp.engine.memory.steps import OTHER_LOADS
from desktopapp.engine.memory.text_tokens import count_tokens, tokenizer_file
from desktopapp.engine.plan_note import PlanNote
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import BackendChoice, MemoryLimits, Mode, ModelChoice, Request
from desktopapp.engine.request_plan import RequestPlan, as_event, placement_of, refusal
from desktopapp.engine.routing.desk import KINDS
from desktopapp.engine.run_lessons import learn_from
from desktopapp.errors import ModelError
from desktopapp.modelstore.model import InstalledModel

if TYPE_CHECKING:
    from desktopapp.engine.media.headers import HeaderCache

MACHINE_KEPT_S = 1.0
"""For drafts: free memory moves, but not between two letters that are typed."""

MODELS_KEPT_S = 5.0
"""For drafts: looking through the folders of models takes longer than the plan."""


class ReadMachine(Protocol):
    """Reads what memory there is."""

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        """The machine, what this process holds of the GPU counted as free."""
        ...


class RequestPlanner:
    """Plans with live figures. One thread plans requests, another one drafts.

    Args:
        store: knows what is installed.
        calibration: what was measured here; None for the per-user file's.
        machine: reads the machine, given what this process holds of the GPU.
        clock: seconds, growing.
    """

    def __init__(
        self,
        store: ModelStore,
        calibration: Calibration | None = None,
        machine: ReadMachine = read_machine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.calibration = calibration or Calibration()
        self._machine = machine
        self._clock = clock
        self._running: RunningModel | None = None
        self._parked: RunningModel | None = None
        self._recent_machine = Kept(self._read_machine, MACHINE_KEPT_S, clock)
        self._recent_models: dict[tuple[str, Mode | None], Kept[InstalledModel]] = {}

    def follow(self, running: RunningModel | None, parked: RunningModel | None = None) -> None:
        """Take note of what is loaded.

        Args:
            running: answers; its memory can be used again.
            parked: stays loaded beside it.
        """
        self._running, self._parked = running, parked

    def plan_draft(self, request: Request, headers: HeaderCache) -> Planned | None:
        """What a request would cost if it were sent now; None for the fake backend's.

        Raises:
            AppError: a file or the model cannot be used.
        """
        choice = request.choice
        if choice.backend is BackendChoice.FAKE:
            return None
        kept = self._recent_models.setdefault(
            (choice.model, choice.mode), Kept(partial(self._find, choice), MODELS_KEPT_S, self._clock)
        )
        return self._preview(request, headers, kept.read(), self._recent_machine.read()).event

    def preview(self, request: Request, headers: HeaderCache) -> RequestPlan:
        """The same with everything behind it; whether it fits or not.

        Raises:
            AppError: a file or the model cannot be used.
        """
        return self._preview(request, headers, self._find(request.choice), self._read_machine())

    def _preview(
        self, request: Request, headers: HeaderCache, model: InstalledModel, machine: Machine
    ) -> RequestPlan:
        chooser, (candidate, reason) = self._choose(model, request.choice, machine)
        count = partial(count_tokens, tokenizer=tokenizer_file(candidate.files))
        content = content_of_headers(
            request, headers, _answer_tokens(request), count, needs_detail=needs_detail(request)
        )
        return self._finish(request, model, chooser, candidate, content, reason)

    def plan_request(
        self, request: Request, model: InstalledModel, media: Sequence[Sequence[ChatMedia]]
    ) -> RequestPlan | None:
        """The plan for a request; with the loaded model as it is where that does.

        Args:
            request: of the person.
            model: that answers.
            media: what each turn shows, opened.

        Returns:
            None where the model cannot be priced; loading it will say why.

        Raises:
            DoesNotFit: nothing fits.
        """
        try:
            chooser, (candidate, reason) = self._choose(
                model, request.choice, self._read_machine(), to_load=True
            )
        except (ModelError, OSError):
            return None
        content = content_of_media(
            request,
            media,
            _answer_tokens(request),
            self._counter(candidate),
            needs_detail=needs_detail(request),
        )
        running = self._running
        if running is not None and running.files == candidate.files and candidate.can_offload:
            fixed = replace(candidate, capabilities=replace(candidate.capabilities, offloads_layers=False))
            as_loaded = make_plan(
                fixed, content, request.choice.memory, placement=placement_of(running.options)
            )
            if as_loaded.fits:
                plan = replace(as_loaded, setup=replace(as_loaded.setup, candidate=candidate))
                return RequestPlan(plan, as_event(plan, request.request_id), reason)
        found = self._finish(request, model, chooser, candidate, content, reason)
        if not found.plan.fits:
            raise refusal(found.plan, found.event)
        return found

    def plan_load(self, choice: ModelChoice, model: InstalledModel) -> RequestPlan | None:
        """The plan for a load ahead of the first question, for a picture and some text; None where that tells nothing.

        Args:
            choice: of the person.
            model: that is loaded.

        Raises:
            DoesNotFit: nothing fits.
        """
        try:
            chooser, (candidate, reason) = self._choose(model, choice, self._read_machine(), to_load=True)
            found = self._finish(Request("", choice, ()), model, chooser, candidate, SCREENSHOT, reason)
        except (ModelError, OSError):
            return None
        if not found.plan.fits:
            raise refusal(found.plan, found.event)
        return found

    def explain(self, choice: ModelChoice, text_tokens: int | None = None) -> RequestPlan:
        """How a question would be run, or why it would not; where it loses something, what stands in its way as well.

        Args:
            choice: of the person.
            text_tokens: of a question without pictures, at most what the model reads; None for one about a screenshot.

        Raises:
            AppError: the model cannot be used.
        """
        model = self._find(choice)
        chooser, (candidate, reason) = self._choose(model, choice, self._read_machine())
        content = SCREENSHOT
        if text_tokens is not None:
            most = max(1, candidate.spec.text.context_tokens - EXPECTED_ANSWER_TOKENS)
            content = Content((min(text_tokens, most),), EXPECTED_ANSWER_TOKENS)
        found = self._finish(Request("", choice, ()), model, chooser, candidate, content, reason)
        if not found.plan.fits or not found.plan.steps:
            return found
        conflicts = find_conflicts(found.plan, choice.memory)
        return replace(found, event=as_event(found.plan, "", found.event.remedy_notes, conflicts))

    def learn(self, plan: RequestPlan, stats: Stats) -> None:
        """Take from a finished request what it teaches about this machine."""
        learn_from(plan, stats, self.calibration)

    def _find(self, choice: ModelChoice) -> InstalledModel:
        model = self._store.find_model(choice.model)
        kind = KINDS.get(choice.mode or Mode.AUTO, model.kind)
        return self._store.find_variant(model, kind) or model

    def _read_machine(self) -> Machine:
        running, parked = self._running, self._parked
        own_bytes = 0
        if running is not None and running.facts.device != "cpu":
            own_bytes = running.backend.memory_parts().total_bytes
        other_bytes = parked.backend.memory_parts().total_bytes if parked is not None else 0
        return self._machine(own_bytes, other_bytes)

    def _unused_bytes(self) -> int:
        """Of the loaded model's memory, what its allocator holds for nothing."""
        running = self._running
        return running.backend.memory_parts().unused_bytes if running is not None else 0

    def _choose(
        self, model: InstalledModel, choice: ModelChoice, machine: Machine, *, to_load: bool = False
    ) -> tuple[Chooser, tuple[Candidate, str]]:
        """What would answer; the loaded form of a model stays the wanted one."""
        running = self._running
        chooser = Chooser(machine, self.calibration)
        if (
            running is not None
            and running.model == model
            and choice.backend in (BackendChoice.AUTO, running.choice)
        ):
            as_loaded = chooser.candidate(model.name, running.choice, running.files)
            # Weights that are loaded in 8 bits stay: loading them again takes longer than their loss is worth.
            weight_type = running.options.weight_type
            return chooser, (replace(as_loaded, weight_type=weight_type), running.ready.reason)
        ceiling_bytes = choice.memory.vram_limit_bytes
        return chooser, chooser.wanted(model, choice.backend, ceiling_bytes, to_load=to_load)

    def _finish(
        self,
        request: Request,
        model: InstalledModel,
        chooser: Chooser,
        candidate: Candidate,
        content: Content,
        reason: str,
    ) -> RequestPlan:
        choice = request.choice

        def smaller() -> Iterator[Alternative]:
            yield from chooser.smaller_models(self._store.find_models(), model, candidate, choice.backend)

        forms = chooser.other_forms(model, candidate, choice.backend)
        # A model that was named is not exchanged for another one; that is told as a remedy.
        others: Iterable[Alternative] = forms if choice.model else chain(forms, smaller())
        plan = make_plan(candidate, content, choice.memory, others)
        if not plan.fits and (held := self._as_held(candidate, choice.memory)) is not None:
            plan = make_plan(held, content, choice.memory)
        remedies: tuple[PlanNote, ...] = ()
        conflicts: tuple[PlanNote, ...] = ()
        if not plan.fits or plan.excess_tokens:
            # A backend that was named is not left for another one either without being asked.
            elsewhere = chooser.other_forms(model, candidate, BackendChoice.AUTO)
            remedies = find_remedies(plan, choice.memory, chain(elsewhere, smaller()), self._unused_bytes())
            if not plan.fits:  # where the model's context is too short, no memory stands in the way
                conflicts = find_conflicts(plan, choice.memory, self._unused_bytes())
        event = as_event(plan, request.request_id, remedies, conflicts)
        # One sentence a step, in their order.
        told = zip(plan.steps, event.reasons, strict=False)
        reason = next((words for step, words in told if step in OTHER_LOADS), reason)
        return RequestPlan(plan, event, reason)

    def _as_held(self, candidate: Candidate, limits: MemoryLimits) -> Candidate | None:
        """The loaded model on the processor with what its runtime holds indeed, where that is less than is assumed.

        None under a ceiling, which is for what a plan counts.
        """
        running = self._running
        if running is None or running.files != candidate.files or candidate.device.is_gpu:
            return None
        if limits.vram_limit_bytes is not None:
            return None
        give_back_freed()
        machine = self._read_machine()
        models = [model.backend.memory_parts() for model in (running, self._parked) if model is not None]
        held_bytes = machine.resident_bytes - sum(parts.total_bytes for parts in models)
        if not 0 < held_bytes < candidate.corrections.overhead_bytes(candidate.backend, is_gpu=False):
            return None
        corrections = replace(candidate.corrections, measured_overhead_bytes=held_bytes)
        return replace(candidate, device=machine.device_for(candidate.backend), corrections=corrections)

    def _counter(self, candidate: Candidate) -> CountTokens:
        """Exact with the loaded model or a folder's tokenizer, else estimated."""
        running = self._running
        if (
            running is not None
            and running.files == candidate.files
            and isinstance(running.backend, TokenCounter)
        ):
            return running.backend.count_tokens
        return partial(count_tokens, tokenizer=tokenizer_file(candidate.files))


def _answer_tokens(request: Request) -> int:
    return EXPECTED_ANSWER_TOKENS if request.max_new_tokens is None else request.max_new_tokens
