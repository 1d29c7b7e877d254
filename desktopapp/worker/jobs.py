"""What the engine process was asked for and has not answered yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from desktopapp.engine.commands import Generate, LoadModel, PriceAttachments
from desktopapp.engine.events import (
    AttachmentRead,
    Event,
    Failed,
    Finished,
    FinishReason,
    LoadStopped,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    RequestStarted,
    Stats,
    TextAdded,
)
from desktopapp.engine.price_events import AttachmentPrice, Priced
from desktopapp.engine.request import ModelChoice
from desktopapp.errors import AppError

STARTING = "starting"
LOADING = "loading the model"
_DOING: dict[type[Event], str] = {
    ModelLoading: LOADING,
    ModelReady: "preparing the request",
    RequestStarted: "preparing the request",
    AttachmentRead: "reading the attachments",
    PrefillProgress: "reading the prompt",
    TextAdded: "writing the answer",
}


@dataclass(slots=True)
class _Job:
    command: LoadModel | Generate
    doing: str = STARTING
    stopped_s: float | None = None

    @property
    def request_id(self) -> str:
        """Of the request; empty for a load."""
        return self.command.request.request_id if isinstance(self.command, Generate) else ""

    def is_ended_by(self, event: Event) -> bool:
        """Whether nothing more comes after this event."""
        if isinstance(event, Finished | Failed):
            return event.request_id == self.request_id
        return isinstance(self.command, LoadModel) and isinstance(event, ModelReady | LoadStopped)


class Jobs:
    """The open work, oldest first; the engine works on the first."""

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._prices: deque[PriceAttachments] = deque()

    def add(self, command: LoadModel | Generate | PriceAttachments) -> None:
        """A command was sent."""
        if isinstance(command, PriceAttachments):
            self._prices.append(command)
        else:
            self._jobs.append(_Job(command))

    def stop(self, request_id: str, now_s: float) -> None:
        """Stop was sent for a request, or with an empty id for loads."""
        for job in self._jobs:
            if job.request_id == request_id and job.stopped_s is None:
                job.stopped_s = now_s

    def follow(self, event: Event) -> None:
        """Take note of an event of the engine."""
        if isinstance(event, Priced) and self._prices:
            self._prices.popleft()
        if not self._jobs:
            return
        first = self._jobs[0]
        if first.is_ended_by(event):
            self._jobs.popleft()
            return
        first.doing = _DOING.get(type(event), first.doing)

    def begin_again(self, request_id: str) -> None:
        """A request, or with an empty id a load, was sent once more, behind everything else that waits."""
        job = next(job for job in self._jobs if job.request_id == request_id)
        self._jobs.remove(job)
        self._jobs.append(_Job(job.command))

    def take_prices(self) -> list[PriceAttachments]:
        """The questions for prices that wait, which wait no more."""
        taken = list(self._prices)
        self._prices.clear()
        return taken

    @property
    def doing(self) -> str:
        """What the engine does now, for a sentence; empty when it has nothing to do."""
        return self._jobs[0].doing if self._jobs else ""

    @property
    def stopped_s(self) -> float | None:
        """When Stop was sent for the first job; None if it was not."""
        return self._jobs[0].stopped_s if self._jobs else None

    def take_stopped(self) -> list[Finished]:
        """Requests that were stopped before the engine took them up, which wait no more; their ends."""
        stopped = [job for job in self._jobs if job.stopped_s is not None and job.doing == STARTING]
        ends = [
            Finished(job.request_id, "", "", FinishReason.CANCELLED, _no_stats(job.command.request.choice))
            for job in stopped
            if isinstance(job.command, Generate)
        ]
        ended = {end.request_id for end in ends}
        self._jobs = deque(job for job in self._jobs if job.request_id not in ended)
        return ends

    def fail(self, error: AppError, details: str) -> list[Failed]:
        """Give all work up; the events that tell those who wait."""
        failures = [Failed.from_error(job.request_id, error, details=details) for job in self._jobs]
        self._jobs.clear()
        return failures


def _no_stats(choice: ModelChoice) -> Stats:
    return Stats("", "", choice.model, "", 0, 0, 0, None, None, 0)


def failed_prices(commands: Iterable[PriceAttachments], error: AppError, details: str) -> list[Priced]:
    """What tells those who wait for prices that there are none."""
    return [
        Priced(
            tuple(
                AttachmentPrice(path, failed=Failed.from_error("", error, attachment=path, details=details))
                for path in (attachment.path for attachment in command.attachments)
            )
        )
        for command in commands
    ]
