"""The way from the Capture button to an attached picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktopapp.ui.attachment_intake import AttachmentIntake
from desktopapp.ui.main_window import MainWindow
from desktopapp.ui.notice_bar import Notice, NoticeLevel

if TYPE_CHECKING:
    from desktopapp.ui.media.screen_capture import ScreenCapture


class CaptureControl(QObject):
    """Captures for one window.

    Args:
        window: steps aside meanwhile, and says what did not work.
        intake: takes the pictures.
        parent: as always.
    """

    def __init__(self, window: MainWindow, intake: AttachmentIntake, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._intake = intake
        self.capture: ScreenCapture | None = None
        """Made when it is first needed."""

    def begin(self) -> None:
        """Let the person choose what of the screen is taken."""
        if self.capture is None:
            from desktopapp.ui.media.screen_capture import ScreenCapture

            self.capture = ScreenCapture(self._window)
            self.capture.captured.connect(self._intake.take_image)
            self.capture.refused.connect(self._on_refused)
        self.capture.begin()

    def _on_refused(self) -> None:
        message = self.tr("This desktop does not let programs capture the screen.")
        remedy = self.tr("Use its own key for screenshots, then paste the picture here.")
        self._window.notices.show_notice(Notice(NoticeLevel.WARNING, message, remedy, "capture"))
