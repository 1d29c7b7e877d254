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

LONG_TEXT_TOKENS = 32_768
"""Of the second question that is priced: some sixty pages of text, or a long conversation."""

_GIB = 2**30
# Ampere: the first with kernels of flash attention for 16-bit numbers.
_FLASH_CAPABILITY = (8, 0)


def plan_screenshot(settings: Settings) -> Planned | None:
    """How a question about a screenshot would be run; None where no model can be priced.

    Args:
        settings: of the person.
    """
    return _plan(settings, None)


def plan_long_text(settings: Settings) -> Planned | None:
    """How a question with a long text would be run; None where no model can be priced.

    Args:
        settings: of the person.
    """
    return _plan(settings, LONG_TEXT_TOKENS)


def _plan(settings: Settings, text_tokens: int | None) -> Planned | None:
    backend = BackendChoice(settings.backend)
    choice = ModelChoice(settings.model_name, backend, memory=limits_of(settings))
    try:
        return RequestPlanner(store).explain(choice, text_tokens).event
    except (AppError, OSError):  # the findings say what is wrong with the models
        return None


def memory_findings(
    gpu: GpuFacts | None, settings: Settings, screenshot: Planned | None, long_text: Planned | None = None
) -> Iterator[Finding]:
    """Settings and hardware that cost memory.

    Args:
        gpu: that answers would run on.
        settings: of the person.
        screenshot: see `plan_screenshot`.
        long_text: see `plan_long_text`.
    """
    if screenshot is not None and not screenshot.fits:
        yield _refused("A question about a screenshot", screenshot, stops_answers=True)
    elif long_text is not None and not long_text.fits:
        words = f"A conversation of {long_text.prompt_tokens:,} tokens"
        yield _refused(words, long_text, stops_answers=False)
    elif long_text is not None and not settings.chunked_prefill and long_text.parts.workspace > _GIB:
        size = f"{long_text.parts.workspace / _GIB:.1f} GiB"
        yield Finding(
            f"Prompts are set to be read at once: {long_text.prompt_tokens:,} tokens take {size} of work space.",
            "Set chunked_prefill to true.",
        )
    if gpu is not None and gpu.capability is not None and gpu.capability < _FLASH_CAPABILITY:
        yield Finding(
            f"{gpu.name} is too old for flash attention: a long prompt takes more memory and time.",
            "Prefer short prompts and small pictures on it.",
        )


def _refused(what: str, planned: Planned, *, stops_answers: bool) -> Finding:
    why = " ".join(planned.conflicts)
    message = f"{what} does not fit into the memory of {planned.device}. {why}".strip()
    return Finding(message, " ".join(planned.remedies), stops_answers)


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
