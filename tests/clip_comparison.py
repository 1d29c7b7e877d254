"""Twenty clips, sampled by this program and by transformers' own video processor, which needs torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from desktopapp.engine.media.video import open_video
from desktopapp.engine.media.video_grid import video_tokens
from desktopapp.engine.prompt_parts import VideoBudget
from tests.clips import number_of, rotate, vary_rate, write_clip

_UNIT = 512  # the writer's clock at 30 frames a second has 15,360 ticks a second


@dataclass(frozen=True, slots=True)
class Clip:
    """How a clip is made.

    Args:
        suffix: of its container.
        frames: how many, at most 1024.
        rate: frames a second.
        size: width and height in pixels, before it is turned.
        degrees: of rotation in the container's header.
        durations: (frames, units) of a varying rate, or nothing.
    """

    suffix: str
    frames: int
    rate: float
    size: tuple[int, int]
    degrees: int = 0
    durations: tuple[tuple[int, int], ...] = ()

    def write(self, folder: Path, number: int) -> Path:
        """Make the file."""
        path = write_clip(folder / f"clip{number}{self.suffix}", self.frames, self.rate, self.size)
        if self.durations:
            vary_rate(path, list(self.durations))
        if self.degrees:
            rotate(path, self.degrees)
        return path

    @property
    def times_s(self) -> np.ndarray:
        """When each frame is shown, by construction: float64 (frames,)."""
        if not self.durations:
            return np.arange(self.frames) / self.rate
        shown = [units for count, units in self.durations for _ in range(count)]
        return np.cumsum([0, *shown[:-1]]) / (_UNIT * self.rate)


CLIPS = (
    Clip(".mp4", 90, 30.0, (160, 64)),
    Clip(".mp4", 300, 29.97, (640, 360)),
    Clip(".mp4", 250, 25.0, (360, 640)),
    Clip(".mp4", 240, 23.976, (430, 238)),
    Clip(".mp4", 600, 60.0, (200, 150)),
    Clip(".mp4", 7, 10.0, (320, 240)),
    Clip(".mp4", 2, 30.0, (320, 240)),
    Clip(".mp4", 1000, 5.0, (320, 180)),
    Clip(".mov", 120, 24.0, (250, 190)),
    Clip(".mkv", 95, 12.5, (310, 178)),
    Clip(".mkv", 333, 50.0, (480, 270)),
    Clip(".webm", 75, 15.0, (410, 202)),
    Clip(".webm", 180, 30.0, (130, 1022)),
    Clip(".avi", 60, 20.0, (1020, 94)),
    Clip(".avi", 45, 8.0, (70, 50)),
    Clip(".mp4", 90, 30.0, (320, 160), degrees=90),
    Clip(".mp4", 60, 30.0, (320, 160), degrees=180),
    Clip(".mp4", 75, 30.0, (300, 170), degrees=270),
    Clip(".mp4", 90, 30.0, (320, 160), durations=((10, _UNIT), (70, _UNIT * 9), (10, _UNIT))),
    Clip(".mp4", 120, 30.0, (320, 160), durations=((60, _UNIT), (30, _UNIT * 4), (30, _UNIT * 2))),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a clip.

    Args:
        tokens: visual tokens here.
        library_tokens: in transformers.
        frames: that were sampled here.
        off_frames: most that a sampled frame's time is away from when that very frame is shown, in frames.
        library_off_frames: likewise away from the time that transformers gives the sample; None where the rate varies.
    """

    tokens: int
    library_tokens: int
    frames: int
    off_frames: float
    library_off_frames: float | None

    @property
    def is_equal(self) -> bool:
        """Whether the clip keeps to the bar: as many tokens, and times within half a frame."""
        off = max(self.off_frames, self.library_off_frames or 0.0)
        return self.tokens == self.library_tokens and off <= 0.5


def compare(clip: Clip, path: Path, processor: Any) -> Comparison:
    """Sample a clip both ways.

    Args:
        clip: how it was made.
        path: of its file.
        processor: transformers' `Qwen3VLVideoProcessor`.
    """
    video = open_video(str(path))
    times, frame_s = clip.times_s, clip.times_s[-1] / (clip.frames - 1)
    shown_s = [
        times[number_of(_unturned(video.decode(index), clip.degrees))]
        for index in range(len(video.frame_times_s))
    ]
    off = max(abs(a - b) for a, b in zip(shown_s, video.frame_times_s, strict=True)) / frame_s
    tokens = video_tokens(video.width, video.height, len(shown_s), VideoBudget())
    video.close()
    library_tokens, library_s = _by_transformers(path, processor)
    library_off = None
    if not clip.durations and len(library_s) == len(shown_s):
        library_off = max(abs(a - b) for a, b in zip(library_s, video.frame_times_s, strict=True)) / frame_s
    return Comparison(tokens, library_tokens, len(shown_s), off, library_off)


def make_processor() -> Any:
    """The processor with the limits that Qwen3-VL ships."""
    from transformers import Qwen3VLVideoProcessor

    budget = VideoBudget()
    size = {"shortest_edge": budget.min_pixels, "longest_edge": budget.max_pixels}
    return Qwen3VLVideoProcessor(size=size, cap_pixels_per_frame=False)


def _by_transformers(path: Path, processor: Any) -> tuple[int, list[float]]:
    from transformers.video_utils import load_video

    def sample(metadata: Any, **kwargs: Any) -> Any:
        return processor.sample_frames(metadata)

    frames, metadata = load_video(str(path), backend="opencv", sample_indices_fn=sample)
    made = processor(videos=[frames], video_metadata=[metadata], do_sample_frames=False, return_tensors="pt")
    grid = made["video_grid_thw"][0].tolist()
    times_s = [float(index) / metadata.fps for index in metadata.frames_indices]
    return grid[0] * grid[1] * grid[2] // processor.merge_size**2, times_s


def _unturned(pixels: np.ndarray, degrees: int) -> np.ndarray:
    """A frame as it was before the container's rotation."""
    return np.rot90(pixels, degrees // 90)
