"""A video's length with a button that plays it: frames come from the engine a few seconds ahead. There is no sound."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktopapp.ui.conversation.buttons import QuietButton
from desktopapp.ui.media.time_track import TimeTrack
from desktopapp.ui.tokens import SPACE_XS

FRAMES_PER_S = 8
SIDE_PX = 640
_CHUNK = 4 * FRAMES_PER_S
_LOW = 2 * FRAMES_PER_S
_MOST_WAITED = 20 * FRAMES_PER_S
"""Turns without a frame, after which none comes: the file is gone, or damaged from here on."""


class VideoBar(QWidget):
    """Play, and the track.

    Playing shows a frame for each eighth of a second. It waits where the engine is slower than that: no frame is
    left out, so what an answer names is not missed.

    Signals:
        frames_wanted: seconds (`tuple[float, ...]`) whose frames are played next, at `SIDE_PX`.
        played: the picture (`QImage`) of the second that the track shows now.
    """

    frames_wanted = Signal(object)
    played = Signal(QImage)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.track = TimeTrack(self)
        self.play_button = QuietButton("play", self)
        self.play_button.clicked.connect(self.toggle)
        self.track.sought.connect(self.stop)
        self._timer = QTimer(self, interval=1000 // FRAMES_PER_S)
        self._timer.timeout.connect(self.show_next)
        self._asked: deque[float] = deque()
        """Seconds that are still to be shown, in order; frames of the first of them may be there."""
        self._frames: dict[float, QImage] = {}
        self._end_s = 0.0
        self._waited = 0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self.play_button)
        layout.addWidget(self.track, 1)
        self.retranslate()

    @property
    def is_playing(self) -> bool:
        """Whether it plays now."""
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play from the second that is shown, from the begin where that is the end; or stop there."""
        if self.is_playing:
            self.stop()
            return
        self._end_s = self.track.duration_s
        begin_s = self.track.now_s if self.track.now_s < self._end_s - 1 / FRAMES_PER_S else 0.0
        self._ask_from(begin_s)
        self._timer.start()
        self._show_state()

    def stop(self) -> None:
        """Stay at the second that is shown."""
        self._timer.stop()
        self._asked.clear()
        self._frames.clear()
        self._waited = 0
        self._show_state()

    def take(self, second: float, image: QImage) -> bool:
        """A frame has come; False where it is none that is to be played."""
        if second not in self._asked:
            return False
        self._frames[second] = image
        return True

    def show_next(self) -> None:
        """Show the next frame, where it is there; a frame that cannot be read is passed over."""
        ready = next((second for second in self._asked if second in self._frames), None)
        if ready is None:
            self._waited += 1
            if self._waited > _MOST_WAITED:
                self.stop()
            return
        self._waited = 0
        while self._asked[0] != ready:
            self._asked.popleft()
        self._asked.popleft()
        self.track.set_now(ready)
        self.played.emit(self._frames.pop(ready))
        last = self._asked[-1] if self._asked else ready
        if len(self._asked) < _LOW:
            self._ask_from(last + 1 / FRAMES_PER_S)
        if not self._asked:
            self.stop()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing plays unseen."""
        self.stop()
        super().hideEvent(event)

    def retranslate(self) -> None:
        """Speak the language of now."""
        self.track.setAccessibleName(self.tr("Moments of the video"))
        self._show_state()

    def _ask_from(self, begin_s: float) -> None:
        seconds = (round(begin_s + number / FRAMES_PER_S, 3) for number in range(_CHUNK))
        # A preview at 0 would be a thumbnail.
        wanted = tuple(max(second, 0.001) for second in seconds if second < self._end_s)
        self._asked.extend(wanted)
        if wanted:
            self.frames_wanted.emit(wanted)

    def _show_state(self) -> None:
        self.play_button.set_glyph("pause" if self.is_playing else "play")
        self.play_button.set_words(
            "", self.tr("Stop playing") if self.is_playing else self.tr("Play, without sound")
        )
