"""Plans each request with the memory that is free now, before and after its model is loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Protocol

from desktopapp.engine.attached_media import ShownLimits
from desktopapp.engine.backend import LoadOptions, RunOptions, TokenCounter
from desktopapp.engine.chat_prompt import ChatMedia
from desktopapp.engine.events import Planned, Stats
from desktopapp.engine.loading import RunningModel
from desktopapp.engine.media.headers import HeaderCache
from desktopapp.engine.memory.asking import (
    EXPECTED_ANSWER_TOKENS,
    CountTokens,
    content_of_headers,
    content_of_media,
    joined_by_file,
)
from desktopapp.engine.memory.calibration import UNCALIBRATED, Calibration
from desktopapp.engine.memory.candidate import Candidate, Placement
from desktopapp.engine.memory.choosing import Chooser
from desktopapp.engine.memory.content import Content, Still
from desktopapp.engine.memory.detail import needs_detail
from desktopapp.engine.memory.kept import Kept
from desktopapp.engine.memory.learning import Observation, learn
from desktopapp.engine.memory.machine import Machine, read_machine
from desktopapp.engine.memory.planner import Alternative, Plan, make_plan
from desktopapp.engine.memory.probe import GpuAbsent, open_gpu_probe
from desktopapp.engine.memory.remedies import find_remedies
from desktopapp.engine.memory.report import planned_event
from desktopapp.engine.memory.text_tokens import count_tokens, tokenizer_file
from desktopapp.engine.request import BackendChoice, Mode, ModelChoice, Request
from desktopapp.errors import DoesNotFit, ModelError
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind

MACHINE_KEPT_S = 1.0
"""For drafts: free memory moves, but not between two letters that are typed."""

MODELS_KEPT_S = 5.0
"""For drafts: looking through the folders of models takes longer than the plan."""

_GIB = 2**30
_ALL_LAYERS = -1
# What a model is made ready for before anything was asked: a screenshot and a page of text.
_FIRST_PICTURE = Still("", (1920, 1080))
_FIRST_WORDS_TOKENS = 1024
_KINDS = {Mode.INSTRUCT: ModelKind.INSTRUCT, Mode.THINKING: ModelKind.THINKING}


class PlanStore(Protocol):
    """What planning asks of the model store."""

    def find_model(self, name_or_path: str, /) -> InstalledModel:
        """The model of that name or path; raises ModelError."""
        ...

    def find_models(self) -> list[InstalledModel]:
        """All that are installed."""
        ...

    def find_variant(self, model: InstalledModel, kind: ModelKind, /) -> InstalledModel | None:
        """The model of the other kind in the same family, or None."""
        ...


class ReadMachine(Protocol):
    """Reads what memory there is."""

    def __call__(self, own_gpu_bytes: int = 0, other_bytes: int = 0) -> Machine:
        """The machine, what this process holds of the GPU counted as free."""
        ...


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """A plan for a request, and what it means for the engine.

    Args:
        plan: it.
        event: for everybody else.
        reason: why this backend, one sentence.
    """

    plan: Plan
    event: Planned
    reason: str

    @property
    def candidate(self) -> Candidate:
        """What answers."""
        return self.plan.setup.candidate

    @property
    def files(self) -> ModelFiles:
        """What is loaded."""
        if self.candidate.files is None:
            raise RuntimeError("a model without files was planned for a request")
        return self.candidate.files

    def load_options(self, choice: ModelChoice) -> LoadOptions:
        """How the model is loaded."""
        placement = self.plan.setup.placement
        if not self.candidate.can_offload:
            return LoadOptions(context_tokens=choice.context_tokens or self.plan.context_tokens)
        layers = _ALL_LAYERS if placement.gpu_layers is None else placement.gpu_layers
        return LoadOptions(
            context_tokens=choice.context_tokens or self.plan.context_tokens,
            gpu_layers=layers,
            projector_on_gpu=placement.vision_on_gpu,
        )

    @property
    def shown_limits(self) -> ShownLimits:
        """What the media are cut down to."""
        setup = self.plan.setup
        if setup.picture_tokens is None:
            return ShownLimits(most_frames=setup.showing.most_frames)
        return ShownLimits(setup.showing.pixels, setup.showing.video, setup.showing.most_frames)

    def run_options(self) -> RunOptions:
        """How the request runs."""
        run = self.plan.setup.run
        return RunOptions(run.kv_type, run.chunk_tokens, self.plan.context_tokens)

    def needs_other_load(self, running: RunningModel) -> bool:
        """Whether the loaded model does not do: other files, another placement, too short a context."""
        wanted = self.load_options(ModelChoice(""))
        total = self.event.prompt_tokens + self.event.answer_tokens
        return (
            running.files != self.files
            or (self.candidate.can_offload and _placed(running.options) != _placed(wanted))
            or (running.facts.context_tokens < total <= (wanted.context_tokens or 0))
        )


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
        store: PlanStore,
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
                fixed, content, request.choice.memory, placement=_placement(running.options)
            )
            if as_loaded.fits:
                plan = replace(as_loaded, setup=replace(as_loaded.setup, candidate=candidate))
                return RequestPlan(plan, _event(plan, request.request_id), reason)
        found = self._finish(request, model, chooser, candidate, content, reason)
        if not found.plan.fits:
            raise refusal(found.plan, found.event)
        return found

    def plan_load(self, choice: ModelChoice, model: InstalledModel) -> RequestPlan | None:
        """The plan for a load ahead of the first question, for a picture and some text; None where that tells nothing.

        Args:
            choice: of the person.
            model: that is loaded.
        """
        try:
            chooser, (candidate, reason) = self._choose(model, choice, self._read_machine(), to_load=True)
            content = Content((_FIRST_PICTURE, _FIRST_WORDS_TOKENS), EXPECTED_ANSWER_TOKENS)
            request = Request("", choice, ())
            found = self._finish(request, model, chooser, candidate, content, reason)
        except (ModelError, OSError):
            return None
        return found if found.plan.fits else None

    def learn(self, plan: RequestPlan, stats: Stats) -> None:
        """Take from a finished request what it teaches about this machine.

        Only torch's allocator on a GPU counts every byte; a prompt that was partly cached tells nothing of its costs.
        """
        candidate, setup = plan.candidate, plan.plan.setup
        is_counted = candidate.backend is BackendChoice.TRANSFORMERS and candidate.device.is_gpu
        if not is_counted or stats.cached_tokens or not stats.peak_bytes:
            return
        workload = plan.plan.content.workload(setup.showing)
        if workload.prompt_tokens != stats.prompt_tokens:
            workload = workload.with_prompt_tokens(stats.prompt_tokens)
        seen = Observation(stats.peak_bytes, self._device_bytes())
        plain = replace(candidate, corrections=UNCALIBRATED).costs(setup.placement)
        measured = learn(plain, workload.answered_with(stats.new_tokens), setup.run, seen)
        self.calibration.add(candidate.model, candidate.backend, candidate.device.name, measured)

    def _device_bytes(self) -> int:
        """Of this process, by the GPU's driver; 0 where it does not tell."""
        try:
            probe = open_gpu_probe()
        except GpuAbsent:
            return 0
        try:
            return probe.sample().engine_bytes
        except GpuAbsent:
            return 0
        finally:
            probe.close()

    def _find(self, choice: ModelChoice) -> InstalledModel:
        model = self._store.find_model(choice.model)
        kind = _KINDS.get(choice.mode or Mode.AUTO, model.kind)
        return self._store.find_variant(model, kind) or model

    def _read_machine(self) -> Machine:
        running, parked = self._running, self._parked
        own_bytes = 0
        if running is not None and running.facts.device != "cpu":
            own_bytes = running.backend.memory_parts().total_bytes
        other_bytes = parked.backend.memory_parts().total_bytes if parked is not None else 0
        return self._machine(own_bytes, other_bytes)

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
            return chooser, (
                chooser.candidate(model.name, running.choice, running.files),
                running.ready.reason,
            )
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
        remedies = (
            () if plan.fits and not plan.excess_tokens else find_remedies(plan, choice.memory, smaller())
        )
        event = _event(plan, request.request_id, remedies)
        if plan.setup.candidate != candidate:
            reason = next(iter(event.reasons), reason)
        return RequestPlan(plan, event, reason)

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


def refusal(plan: Plan, event: Planned) -> DoesNotFit:
    """The error that says what is missing and what would help."""
    return DoesNotFit(
        model=plan.setup.candidate.model,
        needed_gib=_gib(event.peak_bytes),
        limit_gib=_gib(event.limit_bytes),
        missing_gib=_gib(plan.shortfall_bytes),
        device=event.device,
        remedies=" ".join(event.remedies) or "Pick a smaller model.",
    )


def _event(plan: Plan, request_id: str, remedies: tuple[str, ...] = ()) -> Planned:
    event = planned_event(plan, request_id, remedies)
    return replace(event, attachments=joined_by_file(event.attachments))


def _answer_tokens(request: Request) -> int:
    return EXPECTED_ANSWER_TOKENS if request.max_new_tokens is None else request.max_new_tokens


def _placement(options: LoadOptions) -> Placement:
    layers = options.gpu_layers
    return Placement(None if layers in (None, _ALL_LAYERS) else layers, options.projector_on_gpu is not False)


def _placed(options: LoadOptions) -> tuple[int | None, bool]:
    placement = _placement(options)
    return placement.gpu_layers, placement.vision_on_gpu


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:.2f}"
