"""Why a request did not fit: settings that work against each other, and memory that others hold.

Each note names figures of this very plan. What would help is told apart, by `remedies.py`; a conflict says why it is
needed at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desktopapp.engine.memory.planner import Plan, estimate_setup
from desktopapp.engine.memory.spec import KV_TYPES
from desktopapp.engine.plan_note import NoteCode, PlanNote
from desktopapp.engine.request import BackendChoice, MemoryLimits

TELLING_BYTES = 256 << 20
"""Less than this is not what a request fails for."""

_FINE_TOKENS = 4096
"""Of one picture; llama.cpp never shows more, and small print wants a quarter of it."""


def find_conflicts(plan: Plan, limits: MemoryLimits, unused_bytes: int = 0) -> tuple[PlanNote, ...]:
    """What stands in the way, the largest first.

    Args:
        plan: that does not fit.
        limits: what the person decided.
        unused_bytes: of the engine's memory, what its allocator holds and cannot use.
    """
    found = [*_of_settings(plan, limits), *_of_the_machine(plan, limits, unused_bytes)]
    return tuple(note for _, note in sorted(found, key=lambda pair: -pair[0]))


def _of_settings(plan: Plan, limits: MemoryLimits) -> Iterator[tuple[int, PlanNote]]:
    setup, parts = plan.setup, plan.estimate.parts
    spec, kv_type = setup.candidate.spec, setup.run.kv_type
    smallest = min(setup.candidate.capabilities.kv_types, key=lambda name: spec.kv_token_bytes(name))
    saved = round(parts.kv_cache * (1 - spec.kv_token_bytes(smallest) / spec.kv_token_bytes(kv_type)))
    if limits.kv_type != "auto" and saved > TELLING_BYTES:
        tokens = plan.content.workload(setup.showing).total_tokens
        figures: dict[str, int | str] = {
            "bits": KV_TYPES[kv_type].bits,
            "tokens": tokens,
            "kv_bytes": parts.kv_cache,
            "saved_bytes": saved,
        }
        yield saved, PlanNote(NoteCode.WIDE_KV, figures)
    if not limits.chunked_prefill or limits.prefill_chunk_tokens is not None:
        run = replace(setup.run, chunk_tokens=min(setup.candidate.chunks))
        least = estimate_setup(replace(setup, run=run), plan.content).parts.workspace
        saved = parts.workspace - least
        if saved > TELLING_BYTES:
            yield (
                saved,
                PlanNote(
                    NoteCode.LARGE_CHUNK,
                    {"tokens": setup.run.chunk_tokens, "work_bytes": parts.workspace},
                ),
            )
    finest = plan.content.largest_picture_tokens(plan.first.showing)
    if finest > _FINE_TOKENS:
        yield parts.vision, PlanNote(NoteCode.FINE_PICTURES, {"tokens": finest, "vision_bytes": parts.vision})
    if plan.content.least_picture_tokens is not None:
        yield from _of_the_task(plan, plan.content.least_picture_tokens)
    if setup.candidate.computed_precision == "F32" and setup.candidate.backend is BackendChoice.TRANSFORMERS:
        yield parts.weights // 2, PlanNote(NoteCode.WIDE_WEIGHTS, {"weight_bytes": parts.weights})


def _of_the_task(plan: Plan, least_tokens: int) -> Iterator[tuple[int, PlanNote]]:
    """A task that enlarges pictures."""
    pictures = plan.content.workload(plan.first.showing).pictures
    tokens = sum(placed.picture.tokens for placed in pictures)
    kv_bytes = tokens * plan.setup.candidate.spec.kv_token_bytes(plan.setup.run.kv_type)
    if kv_bytes > TELLING_BYTES:
        figures: dict[str, int | str] = {
            "tokens": least_tokens,
            "pictures": len(pictures),
            "kv_bytes": kv_bytes,
        }
        yield kv_bytes, PlanNote(NoteCode.ENLARGED_PICTURES, figures)


def _of_the_machine(plan: Plan, limits: MemoryLimits, unused_bytes: int) -> Iterator[tuple[int, PlanNote]]:
    device = plan.setup.candidate.device
    ceiling = limits.vram_limit_bytes
    if ceiling is not None and device.free_bytes - ceiling > TELLING_BYTES:
        figures: dict[str, int | str] = {"limit_bytes": ceiling, "free_bytes": device.free_bytes}
        yield device.free_bytes - ceiling, PlanNote(NoteCode.LOW_CEILING, figures)
    others = device.total_bytes - device.free_bytes
    if others > max(TELLING_BYTES, device.total_bytes // 20):
        yield others, PlanNote(NoteCode.OTHER_PROGRAMS, {"other_bytes": others, "device": device.name})
    if unused_bytes > TELLING_BYTES:
        yield unused_bytes, PlanNote(NoteCode.FRAGMENTS, {"unused_bytes": unused_bytes})
