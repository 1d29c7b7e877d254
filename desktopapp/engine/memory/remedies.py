"""What would help where nothing fits, the cheapest first. Each was tried before it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from desktopapp.engine.memory.content import Clip, Content, Document, Medium
from desktopapp.engine.memory.planner import Alternative, Plan, make_plan
from desktopapp.engine.request import MemoryLimits
from desktopapp.engine.segments import parts_needed

_GIB = 2**30


def find_remedies(plan: Plan, limits: MemoryLimits, others: Iterable[Alternative] = ()) -> tuple[str, ...]:
    """Sentences in English.

    Args:
        plan: that does not fit.
        limits: what the person decided.
        others: models that are installed and were not to be taken without being asked.
    """
    return tuple(_remedies(plan, limits, others))


def _remedies(plan: Plan, limits: MemoryLimits, others: Iterable[Alternative]) -> Iterator[str]:
    yield from _shorter(plan)
    if not plan.fits:
        yield from _less_memory(plan, limits, others)


def _shorter(plan: Plan) -> Iterator[str]:
    """Where the model's own context is too short."""
    if not plan.excess_tokens:
        return
    content, most = plan.content, plan.model_context_tokens
    prompt_tokens = content.workload(plan.setup.showing).prompt_tokens
    if prompt_tokens < most:
        yield f"Ask for an answer of at most {most - prompt_tokens:,} tokens."
    elif any(_is_long(medium) for medium in content.media):
        parts = parts_needed(prompt_tokens, most)
        yield f"Send it as it is: it is answered in about {parts} parts, which become one answer."
    elif content.media:
        yield "Attach fewer or smaller files, or start a new conversation."
    else:
        yield "Ask with a shorter text, or start a new conversation."


def _less_memory(plan: Plan, limits: MemoryLimits, others: Iterable[Alternative]) -> Iterator[str]:
    candidate, content = plan.setup.candidate, plan.content
    if limits.kv_type != "auto" and _fits(plan, content, replace(limits, kv_type="auto")):
        yield "Set the KV cache to automatic: a smaller number type would fit."
    open_chunk = replace(limits, prefill_chunk_tokens=None, chunked_prefill=True)
    if open_chunk != limits and _fits(plan, content, open_chunk):
        yield "Let the prompt be read in chunks of any size: smaller ones would fit."
    device = candidate.device
    ceiling = limits.vram_limit_bytes
    if (
        ceiling is not None
        and ceiling < device.free_bytes
        and _fits(plan, content, replace(limits, vram_limit_bytes=None))
    ):
        yield f"Raise the ceiling by {_gib(plan.shortfall_bytes)}: {_gib(device.free_bytes)} are free."
    if plan.estimate.peak_bytes <= device.total_bytes and device.total_bytes > device.free_bytes:
        missing = plan.estimate.peak_bytes - device.free_bytes
        if missing > 0:
            yield f"Close other programs: {_gib(missing)} more must be free on {device.name}."
    yield from _less_content(plan, limits)
    for other in others:
        if make_plan(other.candidate, content, limits).fits:
            yield f"Use {other.candidate.model} with {other.candidate.backend}: it fits."


def _is_long(medium: Medium) -> bool:
    """Whether it can be answered part by part."""
    if isinstance(medium, Document):
        return len(medium.pages) > 1
    return isinstance(medium, Clip) and medium.frames > 1


def _less_content(plan: Plan, limits: MemoryLimits) -> Iterator[str]:
    content = plan.content
    media = content.media
    if media:
        texts = tuple(item for item in content.items if isinstance(item, int))
        if not _fits(plan, replace(content, items=texts), limits):
            return
        # Fewer files never need more, so the largest number that fits is found by halving.
        fitting, failing = 0, len(media)
        while failing - fitting > 1:
            middle = (fitting + failing) // 2
            if _fits(plan, replace(content, items=(*media[:middle], *texts)), limits):
                fitting = middle
            else:
                failing = middle
        if fitting:
            yield f"Attach fewer files: {fitting} of the {len(media)} fit."
        else:
            yield "Attach fewer pages or pictures: the text alone fits."
    elif _fits(plan, Content((1,), content.answer_tokens), limits):
        yield "Ask with a shorter text, or start a new conversation."


def _fits(plan: Plan, content: Content, limits: MemoryLimits) -> bool:
    return make_plan(plan.setup.candidate, content, limits).fits


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:.1f} GiB"
