"""Frames that show nothing new are left out; a new line of text is new."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.media.selection import MediaSelection
from desktopapp.engine.media.video import open_video
from tests.clips import CODECS


@pytest.fixture
def slides(tmp_path: Path) -> str:
    """Ten seconds: one slide, from second 4 with a line of text, from second 8 another slide."""
    path = tmp_path / "slides.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*CODECS[".mp4"]), 10.0, (640, 360))
    slide = np.full((360, 640, 3), 235, np.uint8)
    cv2.putText(slide, "Title", (60, 90), cv2.FONT_HERSHEY_SIMPLEX, 2, (40, 40, 40), 4)
    for number in range(100):
        if number == 40:
            cv2.putText(slide, "a new line", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1, (40, 40, 40), 2)
        if number == 80:
            slide = np.full((360, 640, 3), (180, 120, 40), np.uint8)
        writer.write(slide)
    writer.release()
    return str(path)


def test_a_slide_is_looked_at_once(slides: str) -> None:
    video = open_video(slides, MediaSelection(fps=2))
    assert len(video.frame_times_s) == 20
    video.leave_out_still(lambda: None)
    assert len(video.frame_times_s) == 3
    assert video.frame_times_s == pytest.approx([0.0, 4.2, 8.3], abs=0.3)
    assert video.decode(2)[0, 0].tolist() == pytest.approx([40, 120, 180], abs=6)
    video.close()


def test_stop_is_heard_between_frames(slides: str) -> None:
    cancel = CancelToken()
    cancel.cancel()
    video = open_video(slides)
    with pytest.raises(Cancelled):
        video.leave_out_still(cancel.raise_if_cancelled)
    video.close()
