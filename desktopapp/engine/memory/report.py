"""A plan as the event that everybody else reads, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desktopapp.engine.memory.planner import Plan
from desktopapp.engine.memory.spec import KV_TYPES
from desktopapp.engine.memory.steps import DETAIL_TOKENS, Setup, Step
from desktopapp.engine.plan_note import NoteCode, PlanNote, english
from desktopapp.engine.price_events import Planned


def planned_event(
    plan: Plan,
    request_id: str,
    remedies: tuple[PlanNote, ...] = (),
    conflicts: tuple[PlanNote, ...] = (),
) -> Planned:
    """The event that tells about a plan.

    Args:
        plan: it.
        request_id: of the request, or empty.
        remedies: where it does not fit.
        conflicts: likewise, why.
    """
    setup, candidate = plan.setup, plan.setup.candidate
    workload = plan.content.workload(replace(setup.showing, segments=1))
    notes = tuple(reasons(plan))
    return Planned(
        request_id=request_id,
        model=candidate.model,
        backend=str(candidate.backend),
        precision=candidate.precision,
        device=candidate.device.name,
        prompt_tokens=workload.prompt_tokens,
        answer_tokens=workload.answer_tokens,
        context_tokens=min(plan.context_tokens, plan.model_context_tokens),
        parts=plan.estimate.parts,
        phases=plan.estimate.phases,
        peak_bytes=plan.estimate.peak_bytes,
        limit_bytes=plan.limit_bytes,
        fits=plan.fits and not plan.excess_tokens,
        kv_type=setup.run.kv_type,
        prefill_chunk=setup.run.chunk_tokens,
        segments=setup.showing.segments,
        gpu_layers=setup.placement.gpu_layers,
        image_max_tokens=setup.picture_tokens,
        attachments=plan.content.price(setup.showing, candidate.spec.kv_token_bytes(setup.run.kv_type)),
        steps_taken=tuple(str(step) for step in plan.steps),
        reasons=tuple(english(note) for note in notes),
        remedies=tuple(english(note) for note in remedies),
        reason_notes=notes,
        remedy_notes=remedies,
        shortfall_bytes=plan.shortfall_bytes,
        conflicts=tuple(english(note) for note in conflicts),
        conflict_notes=conflicts,
    )


def reasons(plan: Plan) -> Iterator[PlanNote]:
    """A sentence for each choice."""
    if not plan.steps and plan.fits and not plan.excess_tokens:
        yield PlanNote(NoteCode.NOTHING_GIVEN_UP)
    for step in plan.steps:
        yield _step_note(step, plan)
    if not plan.fits:
        yield PlanNote(NoteCode.SHORTFALL, {"missing_bytes": plan.shortfall_bytes})
    if plan.excess_tokens:
        most = plan.model_context_tokens
        yield PlanNote(NoteCode.CONTEXT_TOO_SHORT, {"tokens": most + plan.excess_tokens, "most": most})


def _step_note(step: Step, plan: Plan) -> PlanNote:
    setup = plan.setup
    if step is Step.SMALLER_CHUNK:
        figures: dict[str, int | str] = {
            "tokens": setup.run.chunk_tokens,
            "before": plan.first.run.chunk_tokens,
        }
        return PlanNote(NoteCode.SMALLER_CHUNK, figures)
    if step in (Step.CHEAP_PLACEMENT, Step.MOST_LAYERS_ON_CPU):
        return _placement_note(step, setup)
    if step in (Step.KV_8BIT, Step.KV_4BIT):
        code = NoteCode.KV_8BIT if KV_TYPES[setup.run.kv_type].bits == 8 else NoteCode.KV_4BIT
        return PlanNote(code, {"kv_type": setup.run.kv_type, "saved_bytes": _kv_saving(plan)})
    if step is Step.WEIGHTS_8BIT:
        return PlanNote(NoteCode.WEIGHTS_8BIT, {"saved_bytes": _weight_saving(plan)})
    if step in (Step.FEWER_PIXELS, Step.SMALL_PICTURES):
        return _pictures_note(step, setup.picture_tokens or 0)
    if step is Step.FEWER_FRAMES:
        return PlanNote(NoteCode.FEWER_FRAMES, {"frames": setup.showing.most_frames or 0})
    if step is Step.SEGMENTS:
        return PlanNote(NoteCode.SEGMENTS, {"parts": setup.showing.segments})
    candidate = setup.candidate
    names: dict[str, int | str] = {
        "model": candidate.model,
        "backend": str(candidate.backend),
        "precision": candidate.precision,
    }
    return PlanNote(NoteCode.OTHER_MODEL, names)


def _placement_note(step: Step, setup: Setup) -> PlanNote:
    layers, kept = setup.candidate.spec.text.layers, setup.placement.gpu_layers
    if step is Step.MOST_LAYERS_ON_CPU:
        return PlanNote(
            NoteCode.FEW_LAYERS_ON_GPU, {"kept": layers if kept is None else kept, "layers": layers}
        )
    if kept is None:
        return PlanNote(NoteCode.VISION_IN_SYSTEM_MEMORY)
    return PlanNote(NoteCode.LAYERS_IN_SYSTEM_MEMORY, {"moved": layers - kept, "layers": layers})


def _pictures_note(step: Step, tokens: int) -> PlanNote:
    if step is Step.FEWER_PIXELS:
        return PlanNote(NoteCode.FEWER_PIXELS, {"tokens": tokens})
    return PlanNote(NoteCode.SMALL_PICTURES, {"tokens": tokens, "wanted": DETAIL_TOKENS})


def _kv_saving(plan: Plan) -> int:
    spec = plan.setup.candidate.spec
    tokens = plan.content.workload(plan.setup.showing).total_tokens
    saved = spec.kv_token_bytes(plan.first.run.kv_type) - spec.kv_token_bytes(plan.setup.run.kv_type)
    return saved * tokens


def _weight_saving(plan: Plan) -> int:
    before, after = (setup.candidate.costs_here().weight_bytes for setup in (plan.first, plan.setup))
    return before - after
