"""One piece of work on its way down the ladder: what was planned, what was streamed, where it broke off."""

from __future__ import annotations

from dataclasses import replace

from desktopapp.engine.commands import Generate, LoadModel
from desktopapp.engine.events import (
    AttachmentRead,
    Channel,
    Event,
    Failed,
    Heartbeat,
    ModelLoading,
    ModelReady,
    PrefillProgress,
    RequestStarted,
    TextAdded,
)
from desktopapp.engine.media_events import StretchAnswered
from desktopapp.engine.memory_events import IDLE_MODEL, SMALLER_CACHE, Retrying
from desktopapp.engine.price_events import Planned
from desktopapp.engine.reasoning_events import Routed, StepStarted, ThoughtProgress
from desktopapp.engine.request import BackendChoice, BegunAnswer, JobSoFar, Mode, PhaseCap
from desktopapp.errors import FREED, SHORT

# Of what a phase takes beside the weights, a further try has to do without so much at least.
_LEAST_SHARE = 8
_PICTURES = ("reading a picture", "looking at a picture")
_CACHE = "making room for"


class Attempt:
    """A request or a load, in as many runs as it takes.

    Args:
        command: as it was asked.

    Attributes:
        command: what would be sent now.
        tries: how often memory ran out.
        planned: how the present run was planned; None until that is known.
        failed_plan: how the last run that failed was planned.
        what: was being done when memory ran out last.
        details: of all failures so far.
        short_bytes: that were missing the last time; 0 where that is not known.
        was_aborted: a run ended without saying why, or before it had begun.
        has_begun: the present run was taken up.
        was_handed_on: an engine ended before it took this up.
        is_hurried: the person asked for the answer behind the thought.
    """

    def __init__(self, command: Generate | LoadModel) -> None:
        self.command = command
        self.tries = 0
        self.planned: Planned | None = None
        self.failed_plan: Planned | None = None
        self.what = ""
        self.short_bytes = 0
        self.details = ""
        self.was_aborted = self.has_begun = self.was_handed_on = self.is_hurried = False
        self._phase, self._step = "prompt", ""
        self._texts: dict[Channel, list[str]] = {channel: [] for channel in Channel}
        self._steps = 0
        self._freed = ""
        self._is_untold = False
        self._whole: Planned | None = None
        self._failed_whole: Planned | None = None
        self._mode: Mode | None = None
        self._job = command.request.job if isinstance(command, Generate) else None

    @property
    def request_id(self) -> str:
        """Of the request; empty for a load."""
        return self.command.request.request_id if isinstance(self.command, Generate) else ""

    def follow(self, event: Event) -> list[Event]:
        """Take note of an event; what is to be told before it."""
        self.has_begun = self.has_begun or isinstance(event, RequestStarted | Planned)
        if isinstance(event, ModelLoading) and isinstance(self.command, LoadModel):
            self.has_begun = True
        if isinstance(event, Planned):
            return self._take_plan(event)
        if isinstance(event, Heartbeat):
            self._step = event.step or self._step
        elif isinstance(event, Routed):
            self._mode = Mode(event.mode)
        elif isinstance(event, ModelLoading):
            self._phase = "load"
        elif isinstance(event, ModelReady):
            self._phase = "prompt"
        elif isinstance(event, PrefillProgress):
            self._phase = "prompt" if event.done_tokens < event.total_tokens else "decode"
        elif isinstance(event, AttachmentRead):
            self._phase = "prompt"
        elif isinstance(event, TextAdded):
            self._phase = "decode"
            self._texts[event.channel].append(event.text)
        elif isinstance(event, ThoughtProgress):
            self._phase = "decode"
        elif isinstance(event, StepStarted):
            self._steps = event.step
        elif isinstance(event, StretchAnswered):
            before = self._job.answered if self._job is not None else ()
            self._job = JobSoFar((*before, event.answered), event.waiting)
        return []

    def cap(self, failed: Failed, *, died: bool) -> PhaseCap:
        """What the present plan let the phase take that failed, and a further one may not.

        Args:
            failed: why the present run ended.
            died: the engine with it.
        """
        planned = self._known_plan
        fixed = planned.parts.weights + planned.parts.overhead
        phase = self._failed_phase(failed, planned, died=died)
        phase_bytes = fixed if phase == "load" else int(getattr(planned.phases, phase))
        least = (phase_bytes - fixed) // _LEAST_SHARE
        below_bytes = phase_bytes - least - planned.parts.overhead
        return PhaseCap(planned.backend, planned.device, phase, below_bytes)

    def freed_by(self, failed: Failed, *, died: bool) -> str:
        """The idle model that is gone behind a failure: let go of by the engine, or lost with it; empty for none.

        Args:
            failed: why the present run ended.
            died: the engine with it.
        """
        lost = self.planned.idle_model if died and self.planned is not None else ""
        return failed.values.get(FREED, lost)

    def again(self, failed: Failed, *, aborted: bool, freed: str = "") -> Generate | LoadModel:
        """The command that goes on from here.

        Args:
            failed: why the present run ended.
            aborted: without saying why.
            freed: the idle model that gave way, or empty.
        """
        self.tries += 1
        self.was_aborted = self.was_aborted or aborted
        self.has_begun = False
        self._freed, self._is_untold = freed, True
        self._failed_whole, self._whole = self._whole or self._failed_whole, None
        self.what = failed.values.get("what", self.what)
        self.details = "\n".join(part for part in (self.details, described(failed)) if part)
        self.short_bytes = int(failed.values.get(SHORT, 0))
        self.failed_plan, self.planned = self.planned or self.failed_plan, None
        if isinstance(self.command, Generate):
            request = self.command.request
            choice = replace(request.choice, mode=self._mode) if self._mode is not None else request.choice
            self.command = Generate(replace(request, choice=choice, begun=self._begun, job=self._job))
        self._phase, self._step = "prompt", ""
        return self.command

    @property
    def _known_plan(self) -> Planned:
        if self.planned is None:
            raise RuntimeError("a run without a plan has no steps")
        return self.planned

    @property
    def _begun(self) -> BegunAnswer | None:
        thought, text = ("".join(self._texts[channel]) for channel in (Channel.THOUGHT, Channel.ANSWER))
        return BegunAnswer(thought, text, self._steps) if thought or text else None

    def _failed_phase(self, failed: Failed, planned: Planned, *, died: bool) -> str:
        """`load`, `vision`, `prefill` or `decode`; of a prompt the larger phase where nothing tells which."""
        makes_cache = failed.values.get("what", "").startswith(_CACHE)
        if makes_cache or (died and self._phase == "load" and planned.backend == BackendChoice.LLAMA_CPP):
            return (
                "prefill"  # llama.cpp makes its cache while it loads, and only weights fail without an abort
            )
        if self._phase != "prompt":
            return self._phase
        phases = planned.phases
        is_picture = failed.values.get("what") in _PICTURES
        if died:
            is_picture = self._step == "image" or (self._step != "prefill" and phases.vision > phases.prefill)
        return "vision" if is_picture and phases.vision else "prefill"

    def _take_plan(self, planned: Planned) -> list[Event]:
        """What tells the step that was taken, once; a long job is compared as a whole, then part with part."""
        is_whole = planned.segments > 1
        before = (is_whole and self._failed_whole) or self.failed_plan
        self.planned = planned
        self._whole = planned if is_whole else self._whole
        freed, what = self._freed, (self.request_id, self.tries, self.what)
        if not self._is_untold or (is_whole and before is not None and _is_same(before, planned)):
            return []
        self._is_untold = False
        if freed:
            return [Retrying(*what, IDLE_MODEL, f"{freed}, which waited in memory, was let go of.", planned)]
        return [Retrying(*what, *_step_taken(before, planned), planned)] if before is not None else []


def described(failed: Failed) -> str:
    """A failure for a report: its details, else its sentence with the figures that a person is not told."""
    return failed.details or " ".join(
        part for part in (failed.message, failed.values.get("detail", "")) if part
    )


def _is_same(before: Planned, now: Planned) -> bool:
    return (before.steps_taken, before.reasons, before.parts) == (now.steps_taken, now.reasons, now.parts)


def _step_taken(before: Planned, now: Planned) -> tuple[str, str]:
    """The step that makes the difference between two plans, and its sentence: the one that hurts most of what is new."""
    reasons = dict(zip(now.steps_taken, now.reasons, strict=False))
    fresh = [step for step in now.steps_taken if step not in before.steps_taken]
    earlier = dict(zip(before.steps_taken, before.reasons, strict=False))
    further = [step for step in now.steps_taken if reasons.get(step) != earlier.get(step)]
    if not fresh and not further and now.parts.kv_cache < before.parts.kv_cache:
        # llama.cpp makes its cache ahead: what the planner does first is to make it no longer than is needed.
        room = f"There is room for {now.context_tokens:,} tokens instead of {before.context_tokens:,}."
        return SMALLER_CACHE, room
    chosen = next(reversed(fresh or further or list(now.steps_taken)), "")
    return chosen, reasons.get(chosen, "")
