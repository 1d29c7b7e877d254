from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.media.pixel_budget import fit_grid, visual_tokens
from desktopapp.engine.prompt_parts import PixelBudget

sides = st.integers(1, 20_000)
budgets = st.builds(
    lambda low, factor: PixelBudget(min_pixels=low * 1024, max_pixels=low * factor * 1024),
    st.integers(1, 256),
    st.integers(1, 256),
)


@settings(deadline=None)
@given(sides, sides, budgets)
def test_it_is_the_rule_of_transformers(width: int, height: int, budget: PixelBudget) -> None:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    if max(width, height) > 200 * min(width, height):
        return
    theirs = smart_resize(height, width, budget.cell_px, budget.min_pixels, budget.max_pixels)
    assert fit_grid(width, height, budget) == (theirs[1], theirs[0])


@settings(deadline=None)
@given(sides, sides, budgets)
def test_sides_are_whole_cells_and_tokens_are_their_number(
    width: int, height: int, budget: PixelBudget
) -> None:
    new_width, new_height = fit_grid(width, height, budget)
    assert new_width >= 32
    assert new_height >= 32
    assert new_width % 32 == new_height % 32 == 0
    assert visual_tokens(width, height, budget) == (new_width // 32) * (new_height // 32)


@pytest.mark.parametrize(
    ("size", "grid", "tokens"),
    [
        ((1920, 1080), (1920, 1088), 2040),
        ((100, 100), (256, 256), 64),
        ((8000, 6000), (4704, 3520), 16_170),
        ((1, 1), (256, 256), 64),
    ],
)
def test_known_sizes_under_the_shipped_budget(
    size: tuple[int, int], grid: tuple[int, int], tokens: int
) -> None:
    assert fit_grid(*size, PixelBudget()) == grid
    assert visual_tokens(*size, PixelBudget()) == tokens


def test_a_narrow_picture_never_gets_a_side_of_zero() -> None:
    assert fit_grid(6400, 32, PixelBudget(max_pixels=102_400))[1] == 32


def test_a_budget_below_one_cell_still_shows_one_cell() -> None:
    assert fit_grid(10, 10, PixelBudget(min_pixels=1, max_pixels=1)) == (32, 32)
