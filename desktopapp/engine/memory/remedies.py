"""What would help where nothing fits, the cheapest first. Each was tried before it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from desktopapp.engine.memory.content import Content
from desktopapp.engine.memory.planner import Alternative, Plan, make_plan
from desktopapp.engine.request import MemoryLimits

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
