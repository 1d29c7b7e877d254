"""Videos: times from the container, the right frame wherever one jumps, and honest ends of damaged files."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from desktopapp.attachment_errors import (
    AttachmentGone,
    NotAnImage,
    TimesMissing,
    VideoDamaged,
)
from desktopapp.engine.media import video as video_module
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.video import VideoFile, open_video
from tests.clips import CODECS, number_of, rotate, vary_rate, write_clip


def numbers(video: VideoFile) -> list[int]:
    return [number_of(video.decode(index)) for index in range(len(video.frame_times_s))]


@pytest.mark.parametrize("suffix", list(CODECS))
def test_every_container_gives_its_frames_and_times(tmp_path: Path, suffix: str) -> None:
    video = open_video(str(write_clip(tmp_path / f"clip{suffix}")))
    assert (video.width, video.height) == (160, 64)
    # What Qwen3-VL's processor takes of 90 frames at 30 a second.
    assert numbers(video) == [0, 18, 36, 53, 71, 89]
    assert video.frame_times_s == pytest.approx([0, 0.6, 1.2, 53 / 30, 71 / 30, 89 / 30], abs=0.001)
    assert video.duration_s == pytest.approx(3.0, abs=0.01)
    assert video.note == ""
    video.close()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_frames_are_the_same_in_any_order(tmp_path: Path, suffix: str) -> None:
    video = open_video(str(write_clip(tmp_path / f"clip{suffix}", 120)), MediaSelection(frames=17))
    expected = numbers(video)
    order = list(range(17)) * 2
    random.Random(5).shuffle(order)
    assert [number_of(video.decode(index)) for index in order] == [expected[index] for index in order]
    video.close()


def test_a_varying_rate_is_read_from_the_container(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    unit = 512  # at 30 frames a second the writer's clock has 15,360 ticks a second
    vary_rate(path, [(10, unit), (70, unit * 9), (10, unit)])
    video = open_video(str(path), MediaSelection(frames=12))
    times = np.cumsum([0] + [1] * 10 + [9] * 70 + [1] * 9) / 30
    shown = numbers(video)
    assert [times[number] for number in shown] == pytest.approx(video.frame_times_s, abs=0.002)
    # Even in time, not in frames: nearly all come from the long middle.
    assert sum(10 <= number < 80 for number in shown) >= 10
    video.close()


@pytest.mark.parametrize(("degrees", "size"), [(90, (64, 160)), (180, (160, 64)), (270, (64, 160))])
def test_rotation_is_applied(tmp_path: Path, degrees: int, size: tuple[int, int]) -> None:
    path = write_clip(tmp_path / "clip.mp4", 10)
    rotate(path, degrees)
    video = open_video(str(path))
    assert (video.width, video.height) == size
    assert video.decode(0).shape == (size[1], size[0], 3)
    video.close()


def test_a_part_keeps_the_times_of_the_whole(tmp_path: Path) -> None:
    path = str(write_clip(tmp_path / "clip.mkv"))
    video = open_video(path, MediaSelection(start_s=1.0, end_s=2.0, fps=4))
    assert video.frame_times_s == pytest.approx([1.0, 1.333, 1.667, 2.0], abs=0.002)
    assert numbers(video) == [30, 40, 50, 60]
    video.close()
    last = open_video(path, MediaSelection(start_s=3.0))
    assert numbers(last) == [89]
    last.close()


def test_a_part_behind_the_end_is_refused(tmp_path: Path) -> None:
    path = str(write_clip(tmp_path / "clip.mkv"))
    with pytest.raises(TimesMissing, match="ends at 0:03; nothing of it is at 0:50"):
        open_video(path, MediaSelection(start_s=50.0))


def test_a_large_file_is_sought_by_its_rate_and_gives_the_same_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(write_clip(tmp_path / "clip.mp4"))
    exact = open_video(path)
    monkeypatch.setattr(video_module, "INDEX_LIMIT_BYTES", 10)
    sought = open_video(path)
    assert sought.frame_times_s == pytest.approx(exact.frame_times_s, abs=1 / 60)
    assert [abs(a - b) <= 1 for a, b in zip(numbers(sought), numbers(exact), strict=True)] == [True] * 6
    exact.close()
    sought.close()


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".webm"])
def test_a_file_cut_short_gives_what_is_there_and_says_so(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip{suffix}", 300)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    video = open_video(str(path))
    frames = [video.decode(index) for index in range(len(video.frame_times_s))]
    assert len(frames) >= 4
    assert video.note.startswith("could be read up to 0:0")
    video.close()


def test_a_stretch_of_rubbish_at_the_end_is_said(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 60)
    data = bytearray(path.read_bytes())
    begin, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[(begin + end) // 2 : end] = bytes(end - (begin + end) // 2)
    path.write_bytes(bytes(data))
    video = open_video(str(path))
    shown = [number_of(video.decode(index)) for index in range(len(video.frame_times_s))]
    assert shown[0] == 0
    assert len(shown) == 4
    video.close()


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("#EXTM3U\nhttp://127.0.0.1/stream.ts\n")
    with pytest.raises(NotAnImage):
        open_video(str(text))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(300))
    with pytest.raises(VideoDamaged):
        open_video(str(broken))
    with pytest.raises(AttachmentGone):
        open_video(str(tmp_path / "gone.mp4"))


def test_a_clip_of_one_frame(tmp_path: Path) -> None:
    video = open_video(str(write_clip(tmp_path / "clip.avi", 1)))
    assert video.frame_times_s == (0.0,)
    assert numbers(video) == [0]
    video.close()
