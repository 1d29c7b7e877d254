"""The size and price of videos, beside transformers' own rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.media.video_grid import fit_frames, pair_indices, pair_texts, video_tokens
from desktopapp.engine.prompt_parts import VideoBudget

BUDGET = VideoBudget()
sides = st.integers(1, 4000)


@settings(deadline=None, max_examples=300)
@given(width=sides, height=sides, frames=st.integers(2, 768))
def test_sizes_equal_transformers(width: int, height: int, frames: int) -> None:
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import smart_resize

    if max(width, height) > 100 * min(width, height):
        return
    theirs = smart_resize(
        frames, height, width, 2, BUDGET.cell_px, min_pixels=BUDGET.min_pixels, max_pixels=BUDGET.max_pixels
    )
    assert fit_frames(width, height, frames, BUDGET) == theirs[::-1]


@given(width=st.integers(32, 4000), height=st.integers(32, 4000), frames=st.integers(1, 768))
def test_the_budget_holds_for_all_frames_together(width: int, height: int, frames: int) -> None:
    if max(width, height) > 20 * min(width, height):
        return
    tokens = video_tokens(width, height, frames, BUDGET)
    # An odd last frame is counted as two.
    assert tokens <= BUDGET.max_pixels / 32**2 / 2 * (frames + 1) / frames
    capped = VideoBudget(max_frame_pixels=128 * 32 * 32)
    per_pair = video_tokens(width, height, frames, capped) / len(pair_indices(frames))
    assert per_pair <= 129


@pytest.mark.parametrize(
    ("times", "texts"),
    [
        ((0.0,), ["<0.0 seconds>"]),
        ((0.0, 0.5), ["<0.2 seconds>"]),
        ((0.0, 0.5, 1.0, 61.5, 90.25), ["<0.2 seconds>", "<31.2 seconds>", "<90.2 seconds>"]),
    ],
)
def test_times_in_words(times: tuple[float, ...], texts: list[str]) -> None:
    assert pair_texts(times) == texts


def test_an_odd_last_frame_is_paired_with_itself() -> None:
    assert pair_indices(5) == [(0, 1), (2, 3), (4, 4)]
    assert video_tokens(64, 64, 5, BUDGET) == 3 * 4
