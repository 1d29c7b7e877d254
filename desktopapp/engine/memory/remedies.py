"""What would help where nothing fits, the cheapest first. Each was tried before it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby

from desktopapp.engine.memory.conflicts import TELLING_BYTES
from desktopapp.engine.memory.content import Clip, Content, Document, Medium
from desktopapp.engine.memory.planner import Alternative, Plan, make_plan
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.request import MemoryLimits
from desktopapp.engine.segments import parts_needed


def find_remedies(
    plan: Plan, limits: MemoryLimits, others: Iterable[Alternative] = (), unused_bytes: int = 0
) -> tuple[PlanNote, ...]:
    """What would help.

    Args:
        plan: that does not fit.
        limits: what the person decided.
        others: models that are installed and were not to be taken without being asked.
        unused_bytes: see `find_conflicts`.
    """
    return tuple(_remedies(plan, limits, others, unused_bytes))


def _remedies(
    plan: Plan, limits: MemoryLimits, others: Iterable[Alternative], unused_bytes: int
) -> Iterator[PlanNote]:
    yield from _shorter(plan)
    if not plan.fits:
        if unused_bytes > TELLING_BYTES and _fits(plan, plan.content, replace(limits, caps=())):
            # It ran out though there was enough: what cannot be used is in pieces.
            yield PlanNote(NoteCode.RELOAD_MODEL, {"unused_bytes": unused_bytes})
        yield from _less_memory(plan, limits, others)


def _shorter(plan: Plan) -> Iterator[PlanNote]:
    """Where the model's own context is too short."""
    if not plan.excess_tokens:
        return
    content, most = plan.content, plan.model_context_tokens
    prompt_tokens = content.workload(plan.setup.showing).prompt_tokens
    if prompt_tokens < most:
        yield PlanNote(NoteCode.SHORTER_ANSWER, {"tokens": most - prompt_tokens})
    elif any(_is_long(medium) for medium in content.media):
        yield PlanNote(NoteCode.SEND_IN_PARTS, {"parts": parts_needed(prompt_tokens, most)})
    elif content.media:
        yield PlanNote(NoteCode.SMALLER_FILES)
    else:
        yield PlanNote(NoteCode.SHORTER_TEXT)


def _less_memory(plan: Plan, limits: MemoryLimits, others: Iterable[Alternative]) -> Iterator[PlanNote]:
    content, device = plan.content, plan.setup.candidate.device
    yield from list(_one_setting(plan, limits)) or _settings_together(plan, limits)
    missing_bytes = plan.limit_bytes + plan.shortfall_bytes - device.free_bytes
    others_bytes = device.total_bytes - device.free_bytes
    # What ran out before rules a plan out whatever is free: then they count only where they hold much.
    least_bytes = TELLING_BYTES if limits.caps else 0
    if 0 < missing_bytes <= others_bytes and others_bytes > least_bytes:
        figures: dict[str, int | str] = {"missing_bytes": missing_bytes, "device": device.name}
        yield PlanNote(NoteCode.CLOSE_PROGRAMS, figures)
    yield from _less_content(plan, limits)
    for other in others:
        if make_plan(other.candidate, content, limits).fits:
            yield PlanNote(
                NoteCode.USE_MODEL,
                {"model": other.candidate.model, "backend": str(other.candidate.backend)},
            )


def _one_setting(plan: Plan, limits: MemoryLimits) -> Iterator[PlanNote]:
    """Each decision of the person's that stands in the way by itself."""
    content, device = plan.content, plan.setup.candidate.device
    if limits.kv_type != "auto" and _fits(plan, content, replace(limits, kv_type="auto")):
        yield PlanNote(NoteCode.AUTOMATIC_KV)
    open_chunk = _with_any_chunk(limits)
    if open_chunk != limits and _fits(plan, content, open_chunk):
        yield PlanNote(NoteCode.AUTOMATIC_CHUNK)
    if _is_low(limits, device.free_bytes) and _fits(plan, content, replace(limits, vram_limit_bytes=None)):
        yield PlanNote(
            NoteCode.RAISE_CEILING,
            {"missing_bytes": plan.shortfall_bytes, "free_bytes": device.free_bytes},
        )


def _settings_together(plan: Plan, limits: MemoryLimits) -> Iterator[PlanNote]:
    """Decisions of which none stands in the way alone."""
    free_bytes = plan.setup.candidate.device.free_bytes
    automatic = _with_any_chunk(replace(limits, kv_type="auto"))
    if automatic == limits:
        return
    eased = make_plan(plan.setup.candidate, plan.content, automatic)
    if eased.fits:
        yield PlanNote(NoteCode.AUTOMATIC_SETTINGS)
    elif _is_low(limits, free_bytes) and _fits(plan, plan.content, replace(automatic, vram_limit_bytes=None)):
        figures: dict[str, int | str] = {"missing_bytes": eased.shortfall_bytes, "free_bytes": free_bytes}
        yield PlanNote(NoteCode.AUTOMATIC_AND_RAISED, figures)


def _with_any_chunk(limits: MemoryLimits) -> MemoryLimits:
    return replace(limits, prefill_chunk_tokens=None, chunked_prefill=True)


def _is_low(limits: MemoryLimits, free_bytes: int) -> bool:
    """Whether the ceiling keeps from what is free."""
    return limits.vram_limit_bytes is not None and limits.vram_limit_bytes < free_bytes


def _is_long(medium: Medium) -> bool:
    """Whether it can be answered part by part."""
    if isinstance(medium, Document):
        return len(medium.pages) > 1
    return isinstance(medium, Clip) and medium.frames > 1


def _less_content(plan: Plan, limits: MemoryLimits) -> Iterator[PlanNote]:
    content = plan.content
    media = content.media
    if media:
        texts = tuple(item for item in content.items if isinstance(item, int))
        if not _fits(plan, replace(content, items=texts), limits):
            return
        # Fewer files never need more, so the largest number that fits is found by halving.
        files = [list(pages) for _, pages in groupby(media, key=lambda medium: medium.path)]
        fitting, failing = 0, len(files)
        while failing - fitting > 1:
            middle = (fitting + failing) // 2
            if _fits(plan, replace(content, items=(*chain(*files[:middle]), *texts)), limits):
                fitting = middle
            else:
                failing = middle
        if fitting:
            yield PlanNote(NoteCode.FEWER_FILES, {"fitting": fitting, "files": len(files)})
        else:
            yield PlanNote(NoteCode.TEXT_ALONE)
    elif _fits(plan, Content((1,), content.answer_tokens), limits):
        yield PlanNote(NoteCode.SHORTER_TEXT)


def _fits(plan: Plan, content: Content, limits: MemoryLimits) -> bool:
    return make_plan(plan.setup.candidate, content, limits).fits
