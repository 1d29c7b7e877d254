"""A memory sample as segments that add up, and whether it is cause for alarm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from desktopapp.engine.price_events import MemorySample

TIGHT_FROM = 0.85
FULL_FROM = 0.95
SPILL_FROM = 0.9
"""Below this much of the GPU's memory in use, shared memory is for copies to and from the GPU, and no alarm."""

SPILL_BYTES = 256 << 20
"""Drivers keep up to about so much shared memory for such copies."""


class Segment(StrEnum):
    """What a stretch of the bar stands for, from left to right."""

    WEIGHTS = "weights"
    VISION = "vision"
    KV_CACHE = "kv_cache"
    WORKSPACE = "workspace"
    OTHER = "other"
    FREE = "free"


class Alarm(IntEnum):
    """How much cause there is, the most serious last."""

    NONE = 0
    TIGHT = 1
    FULL = 2
    OVER_CEILING = 3
    SPILLING = 4


@dataclass(frozen=True, slots=True)
class Account:
    """Where the bytes of a device went.

    Args:
        segments: bytes of each segment; they add up to the device's memory.
        engine_bytes: the engine's four together.
        used_bytes: by all programs.
        total_bytes: what there is.
    """

    segments: dict[Segment, int]
    engine_bytes: int
    used_bytes: int
    total_bytes: int


def account_of(sample: MemorySample) -> Account:
    """Divide a sample.

    The driver's figures are the frame: what the backend accounts for never exceeds what the driver counts for the
    engine, and the rest of that (the runtime's own, libraries, what an allocator holds unused) is work space.
    """
    total_bytes = max(0, sample.total_bytes)
    used_bytes = min(max(0, sample.used_bytes), total_bytes)
    engine_bytes = left = min(max(0, sample.engine_bytes), used_bytes)
    segments = {}
    parts = sample.parts
    for segment, part_bytes in (
        (Segment.WEIGHTS, parts.weights_bytes),
        (Segment.KV_CACHE, parts.kv_cache_bytes),
        (Segment.VISION, parts.vision_bytes),
    ):
        segments[segment] = min(max(0, part_bytes), left)
        left -= segments[segment]
    segments[Segment.WORKSPACE] = left
    segments[Segment.OTHER] = used_bytes - engine_bytes
    segments[Segment.FREE] = total_bytes - used_bytes
    ordered = {segment: segments[segment] for segment in Segment}
    return Account(ordered, engine_bytes, used_bytes, total_bytes)


def alarm_of(sample: MemorySample, limit_bytes: int | None) -> Alarm:
    """How serious a sample is.

    Args:
        sample: what is used.
        limit_bytes: the ceiling for the engine; None for none.
    """
    fraction = sample.used_bytes / sample.total_bytes if sample.total_bytes > 0 else 0.0
    if sample.is_gpu and sample.shared_bytes > SPILL_BYTES and fraction >= SPILL_FROM:
        return Alarm.SPILLING
    if limit_bytes is not None and sample.engine_bytes > limit_bytes:
        return Alarm.OVER_CEILING
    if fraction >= FULL_FROM:
        return Alarm.FULL
    return Alarm.TIGHT if fraction >= TIGHT_FROM else Alarm.NONE
