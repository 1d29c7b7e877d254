"""Says which step was taken when memory ran out, and that a question went to a fresh engine."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktopapp.engine.memory_events import Retrying
from desktopapp.ui.notice_bar import Notice, NoticeBar, NoticeLevel
from desktopapp.ui.wording import step_words, translate_phrase
from desktopapp.worker.process_events import HandedOn

TOPIC = "memory"
_ENGINE = "engine"


class RetryNotices(QObject):
    """Turns each step down into one sentence; the next one takes its place.

    Args:
        notices: shows it.
        parent: as always.
    """

    def __init__(self, notices: NoticeBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices

    def on_retrying(self, event: Retrying) -> None:
        """Memory ran out, and less is tried."""
        what = translate_phrase(event.what)
        if event.step:
            text = self.tr("Memory ran out while {what}. It goes on with {step}; nothing was lost.")
        else:
            text = self.tr("Memory ran out while {what}. It goes on with less; nothing was lost.")
        message = text.format(what=what, step=step_words(event.step))
        self._notices.show_notice(Notice(NoticeLevel.INFO, message, topic=TOPIC))

    def on_handed_on(self, event: HandedOn) -> None:
        """The engine was gone before it began; several questions that waited are one sentence."""
        text = self.tr("The engine had ended ({detail}) before it began; your message went to a new one.")
        message = text.format(detail=event.detail)
        self._notices.show_notice(Notice(NoticeLevel.INFO, message, topic=_ENGINE))
