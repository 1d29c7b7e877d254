"""Videos: opened by their header, sampled by their frames' times, decoded frame by frame when asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from desktopapp.attachment_errors import ImageTooLarge, NotAnImage, VideoDamaged
from desktopapp.engine.media.file import read_head
from desktopapp.engine.media.frame_times import FrameTimes, check_begin, sample_frames
from desktopapp.engine.media.free_memory import check_free
from desktopapp.engine.media.selection import WHOLE, MediaSelection
from desktopapp.engine.media.selection_text import format_time
from desktopapp.engine.media.stated_size import stated_size
from desktopapp.engine.media.still_frames import changing_frames
from desktopapp.engine.media.video_format import sniff_video

if TYPE_CHECKING:
    from desktopapp.engine.backend import RgbArray

INDEX_LIMIT_BYTES = 256 * 2**20
"""Up to this size the container is gone through for the time of every frame, which decodes nothing."""

_PIXEL_LIMIT = 64_000_000
# Measured with H.264, whose 16 reference frames are the most there are, docs/memory.md: what a pixel takes while FFmpeg
# opens a file, for which it decodes some frames, and while frames are read, with one thread and for each further one.
_OPENING_BYTES, _PIXEL_BYTES, _THREAD_PIXEL_BYTES = 16, 50, 4
_MOST_THREADS = 16
"""As FFmpeg has it where nothing is said."""
_MOST_PACKETS = 2_000_000
_TIMEOUT_MS = 10_000
# Nearer than this the decoder goes on; farther it seeks, which starts at a key frame.
_FORWARD_S = 3.0
_STEPS_BACK_S = (0.0, 2.0, 12.0, float("inf"))
_SAME_TIME_S = 0.0006


class VideoFile:
    """The sampled frames of a video file; a `VideoSource` for backends.

    Args:
        path: of the file.
        size: width and height of a frame in pixels, turned upright.
        times: of all frames.
        samples: int (samples,), the frames that are shown to the model.
        note: what the person should know of how it is read, or empty.
    """

    def __init__(
        self, path: str, size: tuple[int, int], times: FrameTimes, samples: Any, note: str = ""
    ) -> None:
        self.path = path
        self.width, self.height = size
        self.note = note
        self.duration_s = times.duration_s
        self.frame_times_s: tuple[float, ...] = tuple(times.times_s[samples].tolist())
        self._half_frame_s = _SAME_TIME_S if times.exact else times.frame_s / 2
        self._reader: _Reader | None = None
        self._last: RgbArray | None = None

    def decode(self, index: int) -> RgbArray:
        """The pixels of a sampled frame: uint8 (height, width, 3), RGB, 0..255.

        Where a damaged video ends early, the last frame that could be read stands in, and `note` says so.

        Raises:
            AttachmentError: not even one frame can be read.
            AttachmentNeedsMemory: too little is free to read one.
        """
        frame = self._read(self.frame_times_s[index])
        if frame is None:
            if self._last is None:
                self._last = self._read(self.frame_times_s[0])
            if self._last is None:
                raise VideoDamaged(name=Path(self.path).name)
            self.note = f"could be read up to {format_time(int(self.frame_times_s[max(index - 1, 0)]))} only"
            return self._last
        self._last = frame
        return frame

    def decode_at(self, time_s: float) -> RgbArray | None:
        """The frame at a second of the video, whether it is sampled or not; None where it cannot be read."""
        return self._read(time_s)

    def leave_out_still(self, on_frame: Callable[[], None]) -> None:
        """Keep only frames that show something new; decodes all of them once.

        Args:
            on_frame: called before each frame; may raise to end it.
        """
        kept = changing_frames(self.frame_times_s, self.decode, on_frame)
        self.frame_times_s = tuple(self.frame_times_s[index] for index in kept)

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read(self, time_s: float) -> RgbArray | None:
        if self._reader is None:
            self._reader = _Reader(self.path, (self.width, self.height))
        return self._reader.read(time_s, self._half_frame_s)


def open_video(path: str, selection: MediaSelection = WHOLE) -> VideoFile:
    """Read a video's header, and where it is not too large the times of its frames.

    Args:
        path: of the file.
        selection: which part, and how many frames of it.

    Raises:
        AttachmentGone: there is no such file.
        AttachmentUnreadable: it may not be read.
        NotAnImage: it is no video.
        VideoDamaged: no video stream can be opened in it.
        ImageTooLarge: its frames have more than 64 megapixels.
        AttachmentNeedsMemory: too little is free to open it.
        TimesMissing: the part begins behind its end.
    """
    name = Path(path).name
    video_format = sniff_video(read_head(path))
    if video_format is None:
        raise NotAnImage(name=name)
    stated = stated_size(path, video_format)
    if stated is not None:
        _check_size(stated, name)
        check_free(stated[0] * stated[1] * _OPENING_BYTES, name)
    capture = _open_capture(path)
    try:
        size = _upright_size(capture, name)
        times = _frame_times(path, capture)
        stated_s = _stated_duration(capture)
    finally:
        capture.release()
    if len(times.times_s) == 0:
        raise VideoDamaged(name=name)
    check_begin(times.duration_s, selection, name)
    note = ""
    if times.duration_s < stated_s - max(1.0, 0.03 * stated_s):
        note = f"could be read up to {format_time(int(times.duration_s))} of {format_time(int(stated_s))}"
    return VideoFile(path, size, times, sample_frames(times, selection), note)


def _open_capture(path: str, *, packets_only: bool = False, threads: int = 0) -> Any:
    # FFmpeg writes a line for every damaged block, and what it says is of no use to a person.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    name = Path(path).name
    wanted = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        _TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        _TIMEOUT_MS,
    ]
    if packets_only:
        wanted += [cv2.CAP_PROP_FORMAT, -1]
    if threads:
        wanted += [cv2.CAP_PROP_N_THREADS, threads]
    try:
        capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, wanted)
    except (cv2.error, UnicodeError, TypeError) as error:
        raise VideoDamaged(name=name) from error
    if not capture.isOpened():
        capture.release()
        raise VideoDamaged(name=name)
    return capture


def _affordable_threads(size: tuple[int, int], name: str) -> int:
    """How many threads may decode: each keeps frames of its own.

    Args:
        size: of a frame.
        name: of the file.

    Returns:
        At least 1.

    Raises:
        AttachmentNeedsMemory: too little is free for one.
    """
    pixels = size[0] * size[1]
    free_bytes = check_free(pixels * _PIXEL_BYTES, name)
    more = (free_bytes - pixels * _PIXEL_BYTES) // (pixels * _THREAD_PIXEL_BYTES)
    return min(1 + more, os.cpu_count() or 1, _MOST_THREADS)


def _upright_size(capture: Any, name: str) -> tuple[int, int]:
    import cv2

    # OpenCV turns frames by the container's rotation, and gives the sides as they are after it.
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width < 1 or height < 1:
        raise VideoDamaged(name=name)
    _check_size((width, height), name)
    return width, height


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > _PIXEL_LIMIT:
        raise ImageTooLarge(name=name, width=width, height=height, limit_megapixels=_PIXEL_LIMIT // 1_000_000)


def _stated_duration(capture: Any) -> float:
    import cv2

    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return float(count / rate) if rate > 0 and count > 0 else 0.0


def _frame_times(path: str, capture: Any) -> FrameTimes:
    import cv2

    rate = float(capture.get(cv2.CAP_PROP_FPS))
    rate = rate if np.isfinite(rate) and rate > 0 else 0.0
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    is_stated = rate > 0 and 0 < count < _MOST_PACKETS
    if is_stated and Path(path).stat().st_size > INDEX_LIMIT_BYTES:
        return FrameTimes(np.arange(int(count)) / rate, exact=False, stated_rate=rate)
    return FrameTimes(_packet_times(path), exact=True, stated_rate=rate)


def _packet_times(path: str) -> Any:
    """Times of all frames in seconds, ascending, from 0: float64 (frames,). Reads packets and decodes none."""
    import cv2

    capture = _open_capture(path, packets_only=True)
    times_ms: list[float] = []
    try:
        while len(times_ms) < _MOST_PACKETS and capture.grab():
            times_ms.append(capture.get(cv2.CAP_PROP_POS_MSEC))
    finally:
        capture.release()
    # Packets come in the order of decoding; with B-frames that is not the order on the screen.
    times_s = np.unique(np.array(times_ms, dtype=np.float64)) / 1000
    # What an edit list cuts off at the begin has times below zero, and is never decoded.
    times_s = times_s[times_s >= 0]
    return times_s - times_s[0] if len(times_s) else times_s


class _Reader:
    """Finds frames by their time: goes on from where it is, or seeks.

    Args:
        path: of the file.
        size: width and height that frames have.
    """

    def __init__(self, path: str, size: tuple[int, int]) -> None:
        self._size = size
        self._name = Path(path).name
        self._capture = _open_capture(path, threads=_affordable_threads(size, self._name))
        self._is_at_frame = bool(self._capture.grab())
        self._begin_s = self._now_s() if self._is_at_frame else 0.0

    def close(self) -> None:
        self._capture.release()

    def read(self, time_s: float, tolerance_s: float) -> RgbArray | None:
        """The first frame not before a time, or None where the video cannot be read there."""
        wanted_s = time_s + self._begin_s - tolerance_s
        if not self._go_on(wanted_s) and not self._seek(wanted_s, tolerance_s):
            return None
        return self._pixels()

    def _go_on(self, wanted_s: float) -> bool:
        if not self._is_at_frame or not 0 <= wanted_s + _SAME_TIME_S - self._now_s() <= _FORWARD_S:
            # A frame already grabbed may be the wanted one: asked twice, or the first.
            return self._is_at_frame and abs(self._now_s() - wanted_s) <= 2 * _SAME_TIME_S
        return self._grab_until(wanted_s)

    def _seek(self, wanted_s: float, tolerance_s: float) -> bool:
        import cv2

        for back_s in _STEPS_BACK_S:
            start_s = max(0.0, wanted_s - back_s)
            self._capture.set(cv2.CAP_PROP_POS_MSEC, start_s * 1000)
            self._is_at_frame = bool(self._capture.grab())
            # Seeking counts in frames of average length, so it can go too far where that varies.
            is_too_far = self._is_at_frame and self._now_s() > wanted_s + 2 * tolerance_s + _SAME_TIME_S
            if self._is_at_frame and (not is_too_far or start_s == 0.0):
                return self._grab_until(wanted_s)
        return False

    def _grab_until(self, wanted_s: float) -> bool:
        while self._now_s() < wanted_s:
            if not self._capture.grab():
                self._is_at_frame = False
                return False
        return True

    def _now_s(self) -> float:
        import cv2

        return float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000

    def _pixels(self) -> RgbArray | None:
        import cv2

        try:
            is_read, frame = self._capture.retrieve()
            if not is_read or frame is None or frame.ndim != 3:
                return None
            if frame.shape[1::-1] != self._size:  # a stream may change its size midway
                frame = cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA)
            return np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        except cv2.error:
            return None
