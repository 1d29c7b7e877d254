"""What `doctor` says about memory: how a screenshot's question would run now, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator

from desktopapp.cli.diagnosis import Finding
from desktopapp.cli.plan_text import memory_lines
from desktopapp.engine.memory.limits import limits_of
from desktopapp.engine.memory.probe import GpuFacts
from desktopapp.engine.planning import RequestPlanner
from desktopapp.engine.price_events import Planned
from desktopapp.engine.request import BackendChoice, ModelChoice
from desktopapp.errors import AppError
from desktopapp.modelstore import store
from desktopapp.settings import Settings

# Ampere: the first with kernels of flash attention for 16-bit numbers.
_FLASH_CAPABILITY = (8, 0)


def plan_screenshot(settings: Settings) -> Planned | None:
    """How a question about a screenshot would be run; None where no model can be priced.

    Args:
        settings: of the person.
    """
    backend = BackendChoice(settings.backend)
    choice = ModelChoice(settings.model_name, backend, memory=limits_of(settings))
    try:
        return RequestPlanner(store).explain(choice).event
    except (AppError, OSError):  # the findings say what is wrong with the models
        return None


def memory_findings(
    gpu: GpuFacts | None, settings: Settings, screenshot: Planned | None
) -> Iterator[Finding]:
    """Settings and hardware that cost memory.

    Args:
        gpu: that answers would run on.
        settings: of the person.
        screenshot: see `plan_screenshot`.
    """
    if screenshot is not None and not screenshot.fits:
        why = " ".join(screenshot.conflicts)
        message = f"A question about a screenshot does not fit into the memory of {screenshot.device}. {why}".strip()
        yield Finding(message, " ".join(screenshot.remedies), stops_answers=True)
    if settings.kv_cache_quantization == "none" and settings.vram_limit_gib is not None:
        yield Finding(
            "The KV cache is set to 16 bits, and memory has a ceiling: long conversations will not fit.",
            "Set kv_cache_quantization to auto.",
        )
    if not settings.chunked_prefill:
        yield Finding(
            "Prompts are set to be read at once: a long one takes gigabytes of work space.",
            "Set chunked_prefill to true.",
        )
    if gpu is not None and gpu.capability is not None and gpu.capability < _FLASH_CAPABILITY:
        yield Finding(
            f"{gpu.name} is too old for flash attention: a long prompt takes more memory and time.",
            "Prefer short prompts and small pictures on it.",
        )


def screenshot_lines(screenshot: Planned) -> Iterator[str]:
    """For a person."""
    yield f"A question about a screenshot, with {screenshot.model} ({screenshot.precision}) in {screenshot.backend}:"
    yield from (f"  {line}" if line else "" for line in memory_lines(screenshot))
    for title, sentences in (
        ("How it runs", screenshot.reasons),
        ("What stands in the way", screenshot.conflicts),
        ("What would help", screenshot.remedies),
    ):
        if sentences:
            yield f"  {title}:"
            yield from (f"    - {sentence}" for sentence in sentences)
