"""The way down when memory runs out: the same request again with less, until it fits or nothing is left to give up.

The planner in the engine knows the steps and their order. What it does not know is that a plan of its own ran out of
memory. So each failure becomes a `PhaseCap`: the phase that failed must be planned with less from now on, which makes
the planner take its next step that lowers that very phase, and never the same plan again. Caps stay for later
requests, until clearly more memory is free than when they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from desktopapp.engine.commands import (
    AnswerNow,
    Cancel,
    Command,
    Generate,
    LoadModel,
    PriceDraft,
    UnloadModel,
)
from desktopapp.engine.events import (
    Event,
    Failed,
    Finished,
    Heartbeat,
    LoadStopped,
    ModelLoading,
    ModelReady,
)
from desktopapp.engine.gib import gib_had, gib_needed
from desktopapp.engine.price_events import DraftPriced, Planned
from desktopapp.engine.reasoning_events import Routed
from desktopapp.engine.request import ModelChoice, PhaseCap
from desktopapp.errors import SHORT, DoesNotFit, MemoryExhausted, OutOfMemory, PromptTooLong
from desktopapp.worker.attempt import Attempt, described

MOST_TRIES = 24
"""Each takes at least an eighth of what a phase takes beside the weights, so this ends nothing that could succeed."""

# Once so much more is free than when memory ran out, what failed then is allowed again.
_RECOVERED = 9 / 8
# The last one is of a context that was cut down to what memory holds.
_MEMORY = (DoesNotFit.__name__, OutOfMemory.__name__, PromptTooLong.__name__)


@dataclass(slots=True)
class Aftermath:
    """What becomes of the open work after an engine died.

    Args:
        again: is sent to the next engine.
        told: ends in these.
        handed_on: ids of requests in `again` that the engine had not taken up, and did not die of.
        steps_down: the engine died of what stands first in `again`.
    """

    again: list[Command] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    handed_on: list[str] = field(default_factory=list)
    steps_down: bool = False


class Ladder:
    """Follows what is asked of the engine and what it says of it. Used by one thread."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}
        self._caps: dict[PhaseCap, int | None] = {}
        """What ran out, with the memory that could be used then; None until the next plan tells."""

    @property
    def caps(self) -> tuple[PhaseCap, ...]:
        """What no plan may let a phase take, the oldest first."""
        return tuple(self._caps)

    def prepare(self, command: Command) -> Command:
        """A command as it is to be sent: with what ran out of memory before."""
        if isinstance(command, AnswerNow) and command.request_id in self._attempts:
            self._attempts[command.request_id].is_hurried = True
        elif isinstance(command, Cancel):
            self._attempts.pop(command.request_id, None)
        elif isinstance(command, UnloadModel):
            self._caps.clear()
        elif isinstance(command, Generate):
            self._attempts[command.request.request_id] = Attempt(command)
        elif isinstance(command, LoadModel):
            self._attempts[""] = Attempt(command)
        return self._capped(command)

    def follow(self, event: Event) -> list[Event]:
        """What to pass on of an event: itself, after the step that was taken where it tells one; nothing where it is old news."""
        if isinstance(event, Planned | DraftPriced):
            self._note_limit(event if isinstance(event, Planned) else event.planned)
        if isinstance(event, ModelLoading | ModelReady | Heartbeat):
            # Only the first one runs; what the others note is told anew.
            for waiting in self._attempts.values():
                waiting.follow(event)
            if isinstance(event, ModelReady):
                self._attempts.pop("", None)
            return [event]
        if isinstance(event, LoadStopped):
            self._attempts.pop("", None)
        attempt = self._attempts.get(getattr(event, "request_id", ""))
        if attempt is None:
            return [event]
        if isinstance(event, Failed):
            event = self._explained(event, attempt)
        if isinstance(event, Finished | Failed):
            self._attempts.pop(attempt.request_id)
        if isinstance(event, Routed) and attempt.tries:
            return []  # it was told already, with its reason
        return [*attempt.follow(event), event]

    def step_down(self, failed: Failed, *, died: bool = False, aborted: bool = False) -> list[Command]:
        """What is sent after a failure; nothing where the failure stands.

        Args:
            failed: of a request or a load.
            died: the engine with it.
            aborted: by its own hand and without saying why, as a library does when an allocation fails; this is
                tried again once.
        """
        attempt = self._attempts.get(failed.request_id)
        if attempt is None or attempt.tries >= MOST_TRIES:
            return []
        if failed.error == DoesNotFit.__name__ and not attempt.tries and self._caps:
            self._caps.clear()  # what ran out for other requests rules this one out: see whether it still does
            return [attempt.command]
        unexplained = failed.error != OutOfMemory.__name__
        if attempt.planned is not None and unexplained and (not aborted or attempt.was_aborted):
            return []
        if freed := attempt.freed_by(failed, died=died):
            # The same fits without that one, or else the next try takes a step.
            return self._sent(attempt.again(failed, aborted=unexplained, freed=freed), attempt)
        if attempt.planned is None:
            return self._sent_anew(attempt) if died else []
        self._caps[attempt.cap(failed, died=died)] = None
        return self._sent(attempt.again(failed, aborted=unexplained), attempt)

    def after_death(self, failures: Sequence[Failed], *, aborted: bool) -> Aftermath:
        """What is sent to the next engine after one died, and what is told.

        What that engine had not taken up is no reason for its end, so it goes to the next one as it is; where
        no step down explains the end, once.

        Args:
            failures: that the open work would end in, the running one first.
            aborted: see `step_down`.
        """
        first = self._at_fault(failures)
        steps = self.step_down(first, died=True, aborted=aborted) if first is not None else []
        after = Aftermath(again=[*steps], steps_down=bool(steps))
        for event in failures:
            waiting = self._attempts.get(event.request_id)
            if waiting is not None and steps:
                # What only waited goes along; the step stands there already.
                after.again += self._sent(waiting.command, waiting) if event is not first else []
            elif waiting is not None and _may_be_handed_on(waiting):
                waiting.was_handed_on = True
                after.again += self._sent(waiting.command, waiting)
                after.handed_on += [waiting.request_id] if waiting.request_id else []
            else:
                after.told += self.follow(event)
        return after

    def _at_fault(self, failures: Sequence[Failed]) -> Failed | None:
        """What the engine worked on when it died: what had begun; else what is sent once more because memory ran out."""
        known = [(event, self._attempts.get(event.request_id)) for event in failures]
        begun = [event for event, attempt in known if attempt is not None and attempt.has_begun]
        again = [event for event, attempt in known if attempt is not None and attempt.tries]
        return next(iter([*begun, *again, *failures]), None)

    def _sent_anew(self, attempt: Attempt) -> list[Command]:
        """A further try that was not taken up, since the engine died behind the message that asked for it; once."""
        if attempt.was_aborted or not attempt.tries:
            return []
        attempt.was_aborted = True
        return self._sent(attempt.command, attempt)

    def _sent(self, command: Command, attempt: Attempt) -> list[Command]:
        again = self._capped(command)
        return [again, AnswerNow(attempt.request_id)] if attempt.is_hurried else [again]

    def _explained(self, failed: Failed, attempt: Attempt) -> Failed:
        """A failure as it is told: where steps were taken before it, that none is left, with figures."""
        if attempt.failed_plan is None or failed.error not in _MEMORY:
            return failed
        self._caps.clear()  # nothing fitted, so they would rule out whatever comes next
        planned = attempt.planned or attempt.failed_plan
        limit_gib = gib_had(planned.limit_bytes)
        if short_bytes := int(failed.values.get(SHORT, attempt.short_bytes)):
            # Others may have taken memory since that plan.
            limit_gib = gib_had(planned.peak_bytes - short_bytes)
        elif failed.error == DoesNotFit.__name__:
            limit_gib = failed.values["limit_gib"]
        figures: dict[str, object] = {
            "remedies": failed.remedy,
            "parts": msgspec.json.encode(planned.parts).decode(),
            **failed.values,  # a refusal's remedies and conflicts go with it
            "what": attempt.what,
            "tries": attempt.tries,
            "needed_gib": gib_needed(planned.peak_bytes),
            "limit_gib": limit_gib,
            "device": planned.device,
        }
        error = MemoryExhausted(**figures)
        details = "\n".join(part for part in (attempt.details, described(failed)) if part)
        return Failed.from_error(failed.request_id, error, details=details)

    def _capped(self, command: Command) -> Command:
        if not self._caps:
            return command
        if isinstance(command, LoadModel):
            return replace(command, choice=self._limited(command.choice))
        if isinstance(command, Generate | PriceDraft):
            request = command.request
            return replace(command, request=replace(request, choice=self._limited(request.choice)))
        return command

    def _limited(self, choice: ModelChoice) -> ModelChoice:
        return replace(choice, memory=replace(choice.memory, caps=self.caps))

    def _note_limit(self, planned: Planned | None) -> None:
        """Forget what ran out while less memory could be used than now."""
        if planned is None:
            return
        for cap, limit_bytes in list(self._caps.items()):
            if cap.device != planned.device:
                continue
            if limit_bytes is None:
                self._caps[cap] = planned.limit_bytes
            elif planned.limit_bytes > limit_bytes * _RECOVERED:
                del self._caps[cap]


def _may_be_handed_on(attempt: Attempt) -> bool:
    return not (attempt.has_begun or attempt.was_handed_on or attempt.tries)
