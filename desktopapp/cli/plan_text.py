"""A plan for a person to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from desktopapp.engine.price_events import Planned, PlannedAttachment

_MIB = 2**20
_GIB = 2**30
_BAR_CELLS = 30
_NAME_WIDTH = 22
_PARTS = (
    ("weights", "weights", "the model itself"),
    ("kv_cache", "KV cache", "what it remembers of prompt and answer"),
    ("vision", "vision", "reading the largest picture"),
    ("workspace", "work space", "computing the prompt"),
    ("overhead", "overhead", "the runtime and its allocator"),
)
_PHASES = (
    ("vision", "reading pictures"),
    ("prefill", "reading the prompt"),
    ("decode", "writing the answer"),
)


def plan_lines(plan: Planned, backend_reason: str) -> Iterator[str]:
    """The plan as lines of text.

    Args:
        plan: it.
        backend_reason: why this backend, one sentence.
    """
    yield f"{plan.model} ({plan.precision}) with {plan.backend} on {plan.device}"
    yield f"  {backend_reason}"
    yield ""
    yield f"Prompt: {plan.prompt_tokens:,} tokens, and room for an answer of {plan.answer_tokens:,}."
    for attachment in plan.attachments:
        yield f"  {_attachment_words(attachment)}"
    yield ""
    yield from memory_lines(plan)
    yield ""
    yield "How it runs"
    yield f"  {_kv_words(plan)}; the prompt is read {plan.prefill_chunk:,} tokens at a time."
    for reason in plan.reasons:
        yield f"  {reason}"
    if plan.fits and plan.context_tokens > plan.prompt_tokens + plan.answer_tokens:
        yield f"  The conversation can grow to {plan.context_tokens:,} tokens within this limit."
    if plan.conflicts:
        yield ""
        yield "What stands in the way"
        yield from (f"  - {conflict}" for conflict in plan.conflicts)
    if plan.remedies:
        yield ""
        yield "What would help"
        yield from (f"  - {remedy}" for remedy in plan.remedies)


def memory_lines(plan: Planned) -> Iterator[str]:
    """Which part and which phase takes what, and whether it fits."""
    yield "Memory by part (not all of it at once)"
    largest = max(getattr(plan.parts, name) for name, _, _ in _PARTS)
    for name, label, meaning in _PARTS:
        size_bytes = getattr(plan.parts, name)
        yield f"  {label:<{_NAME_WIDTH}}{_column(size_bytes)}  {_bar(size_bytes, largest)}  {meaning}"
    yield ""
    yield "Memory by phase"
    for name, label in _PHASES:
        size_bytes = getattr(plan.phases, name)
        if size_bytes:
            mark = "  <- the peak" if size_bytes == plan.peak_bytes else ""
            yield f"  {label:<{_NAME_WIDTH}}{_column(size_bytes)}  {_bar(size_bytes, plan.limit_bytes)}{mark}"
    yield f"  {'limit':<{_NAME_WIDTH}}{_column(plan.limit_bytes)}"
    yield ""
    if plan.fits:
        yield f"It fits: {_words(plan.peak_bytes)} at most, {_words(plan.limit_bytes - plan.peak_bytes)} to spare."
    elif not plan.shortfall_bytes:
        yield f"It does NOT fit: it is longer than the {plan.context_tokens:,} tokens that the model reads at once."
    else:
        yield (
            f"It does NOT fit: {_words(plan.limit_bytes + plan.shortfall_bytes)} are needed, {_words(plan.limit_bytes)} may be used, "
            f"{_words(plan.shortfall_bytes)} are missing."
        )


def _attachment_words(attachment: PlannedAttachment) -> str:
    width, height = attachment.size
    facts = [f"{attachment.tokens:,} tokens", f"+ {_words(attachment.bytes)}"]
    if attachment.pages is not None:
        facts.append(_counted(attachment.pages, "page"))
    if attachment.frames is not None:
        facts.append(_counted(attachment.frames, "frame"))
    facts.append(f"shown at {width} x {height}")
    return f"{Path(attachment.path).name}: {', '.join(facts)}"


def _kv_words(plan: Planned) -> str:
    return "KV cache in 16 bits" if plan.kv_type == "16bit" else f"KV cache in {plan.kv_type}"


def _bar(size_bytes: int, full_bytes: int) -> str:
    filled = min(_BAR_CELLS, round(_BAR_CELLS * size_bytes / full_bytes)) if full_bytes else 0
    return "#" * filled + "." * (_BAR_CELLS - filled)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _column(size_bytes: int) -> str:
    number, unit = _words(size_bytes).split()
    return f"{number:>8} {unit}"


def _words(size_bytes: int) -> str:
    """In GiB, and in MiB what would be less than 0.10 of them."""
    if abs(size_bytes) < _GIB / 10:
        return f"{size_bytes / _MIB:.1f} MiB"
    return f"{size_bytes / _GIB:.2f} GiB"
