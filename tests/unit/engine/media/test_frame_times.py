"""Which frames are sampled: those of transformers' processor where the rate is constant, else even in time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktopapp.engine.media.frame_times import FrameTimes, sample_frames
from desktopapp.engine.media.selection import MediaSelection


def constant(frames: int, rate: float, unit_s: float = 0.0) -> FrameTimes:
    times = np.arange(frames) / rate
    return FrameTimes(np.round(times / unit_s) * unit_s if unit_s else times, True, rate)


@settings(deadline=None)
@given(
    frames=st.integers(1, 20_000),
    rate=st.sampled_from([5.0, 10.0, 12.5, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 120.0]),
    fps=st.sampled_from([0.2, 1.0, 2.0, 4.0]),
    unit_s=st.sampled_from([0.0, 0.001, 1 / 90_000]),
)
def test_a_constant_rate_gives_what_transformers_takes(
    frames: int, rate: float, fps: float, unit_s: float
) -> None:
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    metadata: Any = SimpleNamespace(total_num_frames=frames, fps=rate)
    processor: Any = SimpleNamespace(fps=2, min_frames=4, max_frames=768)
    theirs = Qwen3VLVideoProcessor.sample_frames(processor, metadata, fps=fps)
    ours = sample_frames(constant(frames, rate, unit_s), MediaSelection(fps=fps))
    assert ours.tolist() == theirs.tolist()


def test_a_still_minute_of_one_frame_is_one_sample() -> None:
    times = FrameTimes(np.array([0.0, 1.0, 61.0, 61.1, 61.2, 61.3]), True)
    assert sample_frames(times, MediaSelection(fps=0.1)).tolist() == [0, 1, 2, 5]


@given(
    gaps=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=60),
    start_s=st.floats(0, 100),
    length_s=st.floats(0, 100),
    frames=st.one_of(st.none(), st.integers(1, 1000)),
)
def test_samples_lie_within_the_chosen_part(
    gaps: list[float], start_s: float, length_s: float, frames: int | None
) -> None:
    times = FrameTimes(np.concatenate([[0.0], np.cumsum(gaps)]), True)
    chosen = MediaSelection(start_s=start_s, end_s=start_s + length_s, frames=frames)
    samples = sample_frames(times, chosen)
    assert len(samples) >= 1
    assert (np.diff(samples) > 0).all()
    assert samples[0] >= 0
    assert samples[-1] < len(times.times_s)
    if len(samples) > 1:
        # What is on screen at the begin may have come before it.
        assert times.times_s[samples[1]] >= start_s - 0.01
        assert times.times_s[samples[-1]] <= start_s + length_s + 0.01
    if frames is not None:
        assert len(samples) <= frames


@pytest.mark.parametrize(("frames", "wanted"), [(1, 1), (3, 3), (60, 4), (900, 60), (90_000, 768)])
def test_how_many(frames: int, wanted: int) -> None:
    assert len(sample_frames(constant(frames, 30.0), MediaSelection())) == wanted
