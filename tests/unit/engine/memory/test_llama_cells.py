"""Sizes of llama.cpp's KV cache."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktopapp.engine.memory.llama_cells import CELLS_STEP, SMALLEST_CELLS, cells_for

MOST = 262_144


@given(st.integers(1, MOST), st.integers(1, MOST))
def test_a_cache_holds_what_is_needed_and_wastes_a_quarter_at_most(needed: int, most: int) -> None:
    cells = cells_for(needed, most)
    assert cells >= min(needed, most)
    assert cells <= max(needed, most)
    if cells > max(needed, SMALLEST_CELLS):
        assert cells < needed * 5 / 4 + CELLS_STEP


@given(st.integers(SMALLEST_CELLS, MOST // 2))
def test_a_growing_conversation_seldom_copies_its_cache(needed: int) -> None:
    """Each size is at least an eighth larger than the one before."""
    cells = cells_for(needed, MOST)
    assert cells_for(cells + 1, MOST) >= cells * 9 / 8


def test_the_first_cache_is_bounded_by_the_plan() -> None:
    assert cells_for(100, MOST) == SMALLEST_CELLS
    assert cells_for(100, 3000) == 3000
    assert cells_for(53_249, MOST) == 57_344
