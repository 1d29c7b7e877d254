"""A plan for one request, and what it means for the engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from desktopapp.engine.backend import LoadOptions, RunOptions
from desktopapp.engine.gib import gib_had, gib_needed
from desktopapp.engine.loading import RunningModel
from desktopapp.engine.memory.asking import joined_by_file
from desktopapp.engine.memory.candidate import Candidate, Placement
from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.memory.report import planned_event
from desktopapp.engine.memory.steps import Step
from desktopapp.engine.plan_note import NoteCode, PlanNote, english
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import ModelChoice
from desktopapp.engine.shown_limits import ShownLimits
from desktopapp.errors import DoesNotFit
from desktopapp.modelstore.model import ModelFiles

_ALL_LAYERS = -1


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
        placement, run = self.plan.setup.placement, self.plan.setup.run
        options = LoadOptions(
            context_tokens=choice.context_tokens or self.plan.context_tokens,
            kv_type=run.kv_type,
            prefill_chunk_tokens=run.chunk_tokens,
            weight_type=self.candidate.weight_type,
        )
        if not self.candidate.can_offload:
            return options
        layers = _ALL_LAYERS if placement.gpu_layers is None else placement.gpu_layers
        return replace(options, gpu_layers=layers, projector_on_gpu=placement.vision_on_gpu)

    @property
    def loses_something(self) -> bool:
        """Whether more was given up than the size of the prompt's chunks, which costs a little time."""
        return any(step is not Step.SMALLER_CHUNK for step in self.plan.steps)

    @property
    def shown_limits(self) -> ShownLimits:
        """What the media are cut down to."""
        setup = self.plan.setup
        if setup.picture_tokens is None and self.plan.content.least_picture_tokens is not None:
            return ShownLimits(pictures=setup.showing.pixels, most_frames=setup.showing.most_frames)
        if setup.picture_tokens is None:
            return ShownLimits(most_frames=setup.showing.most_frames)
        return ShownLimits(setup.showing.pixels, setup.showing.video, setup.showing.most_frames)

    def run_options(self) -> RunOptions:
        """How the request runs."""
        run = self.plan.setup.run
        device = self.candidate.device
        # Conversations that were set aside lie in system memory, where a ceiling counts them and the plan does not.
        saves = device.is_gpu or self.plan.limit_bytes >= device.free_bytes
        return RunOptions(run.kv_type, run.chunk_tokens, self.plan.context_tokens, saves)

    def needs_other_load(self, running: RunningModel) -> bool:
        """Whether the loaded model does not do: other files or numbers, another placement, too short a context."""
        wanted = self.load_options(ModelChoice(""))
        total = self.event.prompt_tokens + self.event.answer_tokens
        return (
            running.files != self.files
            or running.options.weight_type != wanted.weight_type
            or (self.candidate.can_offload and _placed(running.options) != _placed(wanted))
            or (running.facts.context_tokens < total <= (wanted.context_tokens or 0))
        )


def refusal(plan: Plan, event: Planned) -> DoesNotFit:
    """The error that says what is missing and what would help."""
    notes = event.remedy_notes or (PlanNote(NoteCode.PICK_SMALLER_MODEL),)
    return DoesNotFit(
        model=plan.setup.candidate.model,
        needed_gib=gib_needed(event.limit_bytes + plan.shortfall_bytes),
        limit_gib=gib_had(event.limit_bytes),
        missing_gib=gib_needed(plan.shortfall_bytes),
        device=event.device,
        remedies=" ".join(english(note) for note in notes),
        remedy_notes=msgspec.json.encode(notes).decode(),
        conflict_notes=msgspec.json.encode(event.conflict_notes).decode(),
        parts=msgspec.json.encode(event.parts).decode(),
    )


def as_event(
    plan: Plan,
    request_id: str,
    remedies: tuple[PlanNote, ...] = (),
    conflicts: tuple[PlanNote, ...] = (),
) -> Planned:
    """What everybody else is told of a plan.

    Args:
        plan: it.
        request_id: of the request, or empty.
        remedies: where it does not fit.
        conflicts: likewise, why.
    """
    event = planned_event(plan, request_id, remedies, conflicts)
    return replace(event, attachments=joined_by_file(event.attachments))


def placement_of(options: LoadOptions) -> Placement:
    """What of a model lies on the GPU that was loaded so."""
    layers = options.gpu_layers
    return Placement(None if layers in (None, _ALL_LAYERS) else layers, options.projector_on_gpu is not False)


def _placed(options: LoadOptions) -> tuple[int | None, bool]:
    placement = placement_of(options)
    return placement.gpu_layers, placement.vision_on_gpu
