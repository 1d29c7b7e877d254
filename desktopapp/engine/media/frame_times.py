"""When the frames of a video are shown, and which of them are sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from desktopapp.attachment_errors import TimesMissing
from desktopapp.engine.media.selection import LEAST_FRAMES, MOST_FRAMES, MediaSelection
from desktopapp.engine.media.selection_text import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Containers round times to their own unit: a millisecond in Matroska.
_ROUNDING_S = 0.0011
# People and the window's fields round as well; then the last frame is meant.
_END_SLACK_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class FrameTimes:
    """The times of all frames of a video.

    Args:
        times_s: float64 (frames,), ascending, the first one 0.
        exact: read from the container for each frame; else frame number over frame rate.
        stated_rate: frames a second by the container's header; 0 when it says nothing.
    """

    times_s: NDArray[np.float64]
    exact: bool
    stated_rate: float = 0.0

    @property
    def rate(self) -> float:
        """Frames a second on average; 0 for a single frame."""
        last_s = float(self.times_s[-1])
        measured = (len(self.times_s) - 1) / last_s if last_s > 0 else 0.0
        # Rounded times would make 29.997 of 30, and one frame less of a minute.
        return self.stated_rate if abs(self.stated_rate - measured) < 0.01 * measured else measured

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last one."""
        return float(self.times_s[-1]) + (1 / self.rate if self.rate else 0.0)

    @property
    def frame_s(self) -> float:
        """How long a frame is shown on average; 0 for a single one."""
        return 1 / self.rate if self.rate else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether all frames are shown equally long, but for rounding."""
        if len(self.times_s) < 3:
            return True
        expected = np.arange(len(self.times_s)) / self.rate
        return bool(np.abs(self.times_s - expected).max() <= max(_ROUNDING_S, 0.02 / self.rate))


def check_begin(duration_s: float, selection: MediaSelection, name: str) -> None:
    """Refuse a part that begins behind a video's end.

    Args:
        duration_s: of the video.
        selection: the part.
        name: of the file.

    Raises:
        TimesMissing: it does.
    """
    if selection.start_s > duration_s + _END_SLACK_S:
        start, end = format_time(selection.start_s), format_time(duration_s)
        raise TimesMissing(name=name, start=start, end=end)


def sample_frames(times: FrameTimes, selection: MediaSelection) -> NDArray[np.int64]:
    """The frames that the model is shown.

    With a constant frame rate these are the ones that Qwen3-VL's video processor takes in transformers:
    as many as `fps` asks for, spread evenly from the first to the last. Otherwise they are spread evenly
    over the time, since a still minute may be a single frame.

    Args:
        times: of all frames.
        selection: start, end, and how many.

    Returns:
        int64 (samples,), frame numbers, ascending, at least one.
    """
    first, last = _bounds(times, selection)
    total = last - first + 1
    count = _count(times, total, float(times.times_s[last] - times.times_s[first]), selection)
    if times.is_constant:
        # numpy rounds ties to even, as the processor does.
        return first + np.linspace(0, total - 1, count).round().astype(np.int64)
    wanted_s = np.linspace(times.times_s[first], times.times_s[last], count)
    return np.unique(first + _nearest(times.times_s[first : last + 1], wanted_s))


def _bounds(times: FrameTimes, selection: MediaSelection) -> tuple[int, int]:
    """First and last frame of the chosen part; what is on screen at its begin belongs to it."""
    all_s = times.times_s
    first = int(np.searchsorted(all_s, max(0.0, selection.start_s) + _ROUNDING_S, side="right")) - 1
    end_s = float("inf") if selection.end_s is None else selection.end_s
    last = int(np.searchsorted(all_s, end_s + _ROUNDING_S, side="right")) - 1
    first = min(max(first, 0), len(all_s) - 1)
    return first, max(first, min(last, len(all_s) - 1))


def _count(times: FrameTimes, total: int, span_s: float, selection: MediaSelection) -> int:
    if selection.frames is not None:
        return max(1, min(selection.frames, MOST_FRAMES, total))
    rate = times.rate if times.is_constant else (total - 1) / span_s if span_s > 0 else 0.0
    wanted = int(total / rate * selection.fps + 1e-6) if rate else LEAST_FRAMES
    return min(max(wanted, LEAST_FRAMES), MOST_FRAMES, total)


def _nearest(times_s: NDArray[np.float64], wanted_s: NDArray[np.float64]) -> NDArray[np.int64]:
    right = np.clip(np.searchsorted(times_s, wanted_s), 0, len(times_s) - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = wanted_s - times_s[left] <= times_s[right] - wanted_s
    return np.where(nearer_left, left, right).astype(np.int64)
