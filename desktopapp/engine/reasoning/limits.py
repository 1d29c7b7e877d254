"""The person's settings as limits of a Thinking model."""

from __future__ import annotations

from desktopapp.engine.request import ReasoningLimits
from desktopapp.settings import Settings


def reasoning_of(settings: Settings) -> ReasoningLimits:
    """How far the settings let a Thinking model think."""
    return ReasoningLimits(settings.thought_budget, settings.max_steps, settings.step_tokens)
