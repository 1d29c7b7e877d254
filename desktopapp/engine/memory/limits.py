"""The person's settings as limits of a request."""

from __future__ import annotations

from desktopapp.engine.request import MemoryLimits
from desktopapp.settings import Settings


def limits_of(settings: Settings, ceiling_gib: float | None = None) -> MemoryLimits:
    """What the settings allow a plan.

    Args:
        settings: of the person.
        ceiling_gib: instead of the setting `vram_limit_gib`.
    """
    limit_gib = settings.vram_limit_gib if ceiling_gib is None else ceiling_gib
    kv_type = settings.kv_cache_quantization
    return MemoryLimits(
        vram_limit_bytes=None if limit_gib is None else round(limit_gib * 2**30),
        kv_type="16bit" if kv_type == "none" else kv_type,
        chunked_prefill=settings.chunked_prefill,
        prefill_chunk_tokens=settings.prefill_chunk_size,
        image_max_tokens=settings.image_max_tokens,
    )
