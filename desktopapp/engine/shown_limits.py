"""What a plan allows of a conversation's media."""

from __future__ import annotations

from dataclasses import dataclass

from desktopapp.engine.prompt_parts import PixelBudget, VideoBudget


@dataclass(frozen=True, slots=True)
class ShownLimits:
    """How large and how much of the media a plan allows; None for the loaded model's own.

    Args:
        pictures: budget of a picture or page.
        videos: budget of a video.
        most_frames: of a video.
    """

    pictures: PixelBudget | None = None
    videos: VideoBudget | None = None
    most_frames: int | None = None
