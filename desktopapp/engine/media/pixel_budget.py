"""How large a picture is shown to the model, and what it costs in visual tokens."""

from __future__ import annotations

import math

from desktopapp.engine.prompt_parts import PixelBudget


def fit_grid(width: int, height: int, budget: PixelBudget) -> tuple[int, int]:
    """The size to resize a picture to: whole cells, about its shape, within the budget.

    Both sides become multiples of `cell_px`, by the rule of `smart_resize` in Qwen's image processor (as
    transformers has it), so that every backend counts the same tokens. No side falls below one cell; with
    an extreme shape and a small budget the result may then exceed `max_pixels`, as it does there.

    Args:
        width: of the picture, pixels, above zero.
        height: likewise; neither more than 200 times the other.
        budget: cell size and limits.

    Returns:
        (width, height) in pixels.
    """
    cell = budget.cell_px
    # round() to the nearest even number on a tie, as the rule does.
    new_width, new_height = round(width / cell) * cell, round(height / cell) * cell
    if new_width * new_height > budget.max_pixels:
        shrink = math.sqrt(width * height / budget.max_pixels)
        new_width = math.floor(width / shrink / cell) * cell
        new_height = math.floor(height / shrink / cell) * cell
    elif new_width * new_height < budget.min_pixels:
        enlarge = math.sqrt(budget.min_pixels / (width * height))
        new_width = math.ceil(width * enlarge / cell) * cell
        new_height = math.ceil(height * enlarge / cell) * cell
    return max(new_width, cell), max(new_height, cell)


def visual_tokens(width: int, height: int, budget: PixelBudget) -> int:
    """Visual tokens of a picture under a budget; the two tokens around it are not counted.

    Args:
        width: of the picture as it is on disk, pixels.
        height: likewise.
        budget: cell size and limits.
    """
    new_width, new_height = fit_grid(width, height, budget)
    return new_width * new_height // budget.cell_px**2
