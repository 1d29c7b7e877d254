"""How large the frames of a video are shown to the model, how they pair, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from desktopapp.engine.prompt_parts import VideoBudget

FRAMES_IN_PAIR = 2
"""Frames that the vision tower reads as one (`temporal_patch_size`)."""


def fit_frames(width: int, height: int, frames: int, budget: VideoBudget) -> tuple[int, int]:
    """The size to resize every frame to: whole cells, about its shape, all frames within the budget.

    The rule is `smart_resize` of Qwen3-VL's video processor, as transformers has it, so that every backend
    counts the same tokens.

    Args:
        width: of a frame, pixels, above zero.
        height: likewise.
        frames: how many there are, above zero.
        budget: cell size and limits.

    Returns:
        (width, height) in pixels.
    """
    cell = budget.cell_px
    frames = max(frames, FRAMES_IN_PAIR)
    if min(width, height) < cell:
        enlarge = max(cell / width, cell / height)
        width, height = int(width * enlarge), int(height * enlarge)
    # round() to the nearest even number on a tie, as the rule does.
    new_width, new_height = round(width / cell) * cell, round(height / cell) * cell
    shown = round(frames / FRAMES_IN_PAIR) * FRAMES_IN_PAIR * new_width * new_height
    most_pixels = _most_pixels(frames, budget)
    if shown > most_pixels:
        shrink = math.sqrt(frames * width * height / most_pixels)
        new_width = max(cell, math.floor(width / shrink / cell) * cell)
        new_height = max(cell, math.floor(height / shrink / cell) * cell)
    elif shown < budget.min_pixels:
        enlarge = math.sqrt(budget.min_pixels / (frames * width * height))
        new_width = math.ceil(width * enlarge / cell) * cell
        new_height = math.ceil(height * enlarge / cell) * cell
    return new_width, new_height


def _most_pixels(frames: int, budget: VideoBudget) -> int:
    """Of all frames; with a limit for one frame as `cap_pixels_per_frame` of the video processor has it."""
    if budget.max_frame_pixels is None:
        return budget.max_pixels
    frame_pixels = min(budget.max_frame_pixels, budget.max_pixels // frames)
    return max(frame_pixels, int(budget.min_pixels * 1.05)) * frames


def pair_indices(frames: int) -> list[tuple[int, int]]:
    """Which two frames make each pair; an odd last frame is paired with itself."""
    return [(first, min(first + 1, frames - 1)) for first in range(0, frames, FRAMES_IN_PAIR)]


def pair_texts(frame_times_s: Sequence[float]) -> list[str]:
    """The text before each pair: the mean of its two times, as `<1.3 seconds>`."""
    return [
        f"<{(frame_times_s[first] + frame_times_s[second]) / 2:.1f} seconds>"
        for first, second in pair_indices(len(frame_times_s))
    ]


def video_tokens(width: int, height: int, frames: int, budget: VideoBudget) -> int:
    """Visual tokens of a video under a budget; times and the tokens around pairs are not counted.

    Args:
        width: of a frame as it is in the file, pixels.
        height: likewise.
        frames: sampled ones.
        budget: cell size and limits.
    """
    new_width, new_height = fit_frames(width, height, frames, budget)
    return len(pair_indices(frames)) * new_width * new_height // budget.cell_px**2
